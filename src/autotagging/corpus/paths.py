"""Where a corpus in MagnaTagATune's format lies, and what its files are called (sec. II.A)."""

import os
import re
from pathlib import Path

ANNOTATIONS = "annotations_final.csv"
CLIP_INFO = "clip_info_final.csv"
ARCHIVE = "mp3.zip"
# No such path leaves the corpus: it has one slash, and a first folder that is not "..".
CLIP_PATH = re.compile(r"[0-9a-f]/[A-Za-z0-9_.-]+\.mp3")

_MADE_HERE = ("demo", "magnatagatune")


def corpora_folder() -> Path:
    """Folder that holds the corpora: the environment variable AUTOTAGGING_CORPORA or corpora/."""
    return Path(os.environ.get("AUTOTAGGING_CORPORA", "corpora"))


def corpus_folder(corpus: str) -> Path:
    """Folder of a corpus: demo and magnatagatune are below `corpora_folder`.

    Another is the folder of that path, or else the one of that name below `corpora_folder`.
    """
    path = Path(corpus).expanduser()
    below = corpora_folder() / corpus
    if corpus in _MADE_HERE or (below.is_dir() and not path.is_dir()):
        return below
    return path


def corpus_title(corpus: str) -> str:
    """Name a corpus for the record; a folder never passes for demo or magnatagatune."""
    return corpus if corpus in _MADE_HERE else f"folder {Path(corpus).name}"
