"""Sound as it is met: mixed with noise, in rooms, on bad lines."""
