"""What users can do: a folder a verb, with its command, its runner and its engines."""
