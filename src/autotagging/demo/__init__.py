"""The demo corpus: synthetic music and its tags in the files and formats of MagnaTagATune."""

import hashlib
from pathlib import Path

from autotagging.corpus import raw_tags as vocabulary
from autotagging.demo.corpus import RECEIPT, remove_unfinished, synthesise

__all__ = ["RECEIPT", "fingerprint", "remove_unfinished", "synthesise"]


def fingerprint() -> str:
    """SHA-256 of the source of this package and its tags; another source may change the corpus."""
    sources = [*sorted(Path(__file__).parent.glob("*.py")), Path(vocabulary.__file__)]
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()
