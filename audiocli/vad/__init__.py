"""Where speech is: silero-vad, and the cutter that makes pieces of speech of what it says."""
