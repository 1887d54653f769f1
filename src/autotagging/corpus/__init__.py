"""The data set on disk: paths, tables, raw tag names, audio, download (sec. II.A)."""

from autotagging.corpus.audio import Corpus, open_corpus

__all__ = ["Corpus", "open_corpus"]
