"""The demo corpus: synthetic music and its tags in the files and formats of MagnaTagATune."""

import hashlib
from pathlib import Path

from autotagging.corpus import folders, raw_tags
from autotagging.demo.corpus import RECEIPT, synthesise

__all__ = ["RECEIPT", "fingerprint", "synthesise"]


def fingerprint() -> str:
    """SHA-256 of the source of this package, its tags and tables; another may change the corpus."""
    sources = sorted(Path(__file__).parent.glob("*.py"))
    sources += [Path(module.__file__) for module in (folders, raw_tags)]
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()
