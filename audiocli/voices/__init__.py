"""Who speaks: voices of recordings, scores between them, and what a score means."""
