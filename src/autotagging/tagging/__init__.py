"""Tag audio files with an exported network, without the libraries of the pipeline."""
