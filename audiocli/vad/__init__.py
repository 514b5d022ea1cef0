"""Voice activity detection: silero-vad, and the cutter that turns its probabilities into pieces of speech."""
