"""`audiocli diarize`: who speaks when."""
