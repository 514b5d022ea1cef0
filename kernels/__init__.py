"""Numba kernels for audio: numpy arrays in and out, checks outside the compiled loops, no import of audiocli."""
