"""Merging of tags and partitioning of clips, as functions of tables (sec. II.A)."""

from autotagging.labels.tags import merge_synonyms, most_frequent

__all__ = ["merge_synonyms", "most_frequent"]
