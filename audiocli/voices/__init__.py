"""Voices of recordings, scores between them, and the meaning of a score."""
