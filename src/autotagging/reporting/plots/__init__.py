"""The drawings of the figures: data in, Figure out."""
