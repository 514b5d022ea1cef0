"""What comes out: where it goes, in which format, whole or not at all."""
