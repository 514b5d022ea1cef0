"""Who says the words of a transcript: the turns of a diarizer, and voices where several speak at once."""
