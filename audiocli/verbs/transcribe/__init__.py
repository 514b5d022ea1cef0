"""`audiocli transcribe`: recordings to text."""
