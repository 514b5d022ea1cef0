"""Recognition of recordings: constellations of spectral peaks, an index of them, and a search for the track of a query."""
