"""Input of the models: stored spectrograms, labels and groups of the clips of each subset."""
