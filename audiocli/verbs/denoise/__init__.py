"""`audiocli denoise`: noise off speech."""
