"""Architectures that are built here, one paper a file: plain torch modules without input or output."""
