"""From the name of a model to a runner that is loaded and ready."""
