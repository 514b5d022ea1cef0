"""`audiocli train`: data, one loop and a recipe for each net; what it writes loads with --model."""
