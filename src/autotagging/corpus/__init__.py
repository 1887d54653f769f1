"""The data set on disk: paths, tables, raw tag names, audio, download (sec. II.A)."""

from typing import Any

__all__ = ["Corpus", "open_corpus"]


def __getattr__(name: str) -> Any:
    """Import what __all__ names at its first use: its libraries are slow to import."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from autotagging.corpus.audio import Corpus, open_corpus

    return {"Corpus": Corpus, "open_corpus": open_corpus}[name]
