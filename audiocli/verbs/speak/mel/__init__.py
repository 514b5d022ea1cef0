"""From mel spectrograms to sound: the vocoders of our own, and `audiocli speak --from-mel`."""
