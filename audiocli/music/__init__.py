"""Four-part music as numbers: the grid of a chorale, MIDI files, and how it becomes sound."""
