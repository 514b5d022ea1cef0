"""audiocli: one command line for audio files."""

__version__ = "0.2.0"
