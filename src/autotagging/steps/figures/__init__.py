"""Figures and tables: those of the paper by number, others by name."""
