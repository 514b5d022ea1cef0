"""`audiocli clone`: speech in the voice of a reference."""
