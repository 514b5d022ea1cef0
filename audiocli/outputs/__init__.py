"""Outputs: their places and formats, written whole or not at all."""
