"""`audiocli features`: numbers and plots from audio."""
