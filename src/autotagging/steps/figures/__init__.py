"""The figures and tables of the paper, by their numbers there, and others by name."""
