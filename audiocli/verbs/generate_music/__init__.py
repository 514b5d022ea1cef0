"""`audiocli generate-music`: chorales, and music from a prompt."""
