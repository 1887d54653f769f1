"""Music auto-tagging on MagnaTagATune: a reproduction of Panwar et al. (2017)."""
