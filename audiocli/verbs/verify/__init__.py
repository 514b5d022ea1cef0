"""`audiocli verify`: is this the same speaker, or the same recording."""
