"""`audiocli classify`: which sounds there are, and when."""
