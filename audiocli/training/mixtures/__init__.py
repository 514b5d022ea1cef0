"""Sound under real conditions: mixed with noise, in rooms, on bad lines."""
