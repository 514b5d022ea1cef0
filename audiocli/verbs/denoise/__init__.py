"""`audiocli denoise`: noise removed from speech."""
