"""Text before it is spoken: cleaned, cut at sentences, spelt out. Strings in, strings out, block by block."""
