"""Step figures: every figure and table of the paper by its number there, and others by name."""
