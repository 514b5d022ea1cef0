"""`audiocli speak`: text to speech."""
