"""Tones in sound: the pitch of one voice over time, and the notes of one or of several."""
