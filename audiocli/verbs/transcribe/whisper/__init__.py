"""Whisper through transformers: its engine, one window of it, its tokens and its words."""
