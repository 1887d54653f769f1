"""What models read: stored spectrograms, labels and groups of the clips of each subset."""
