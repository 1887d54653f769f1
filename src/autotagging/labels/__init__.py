"""Merging of tags and partitioning of clips, as functions of tables (sec. II.A)."""
