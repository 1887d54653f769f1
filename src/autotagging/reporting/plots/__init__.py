"""Drawing functions of the figures: data in, Figure out."""
