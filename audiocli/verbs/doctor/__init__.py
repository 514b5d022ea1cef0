"""`audiocli doctor`: what is installed here, and what of it works."""
