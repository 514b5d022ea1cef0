"""Which recording is this: constellations of spectral peaks, an index of them, and what a query agrees with."""
