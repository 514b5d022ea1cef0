"""Inputs: files, folders, pipes, lists, texts, and sound that is still coming."""
