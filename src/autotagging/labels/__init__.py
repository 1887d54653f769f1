"""Merging tags and partitioning clips: tables in, tables out (sec. II.A)."""

from autotagging.labels.tags import merge_synonyms, most_frequent

__all__ = ["merge_synonyms", "most_frequent"]
