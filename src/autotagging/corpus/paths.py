"""Location and file names of a corpus in MagnaTagATune's format (sec. II.A)."""

import os
import re
from pathlib import Path

ANNOTATIONS = "annotations_final.csv"
CLIP_INFO = "clip_info_final.csv"
ARCHIVE = "mp3.zip"
# A path of this form can't leave the corpus: it has one slash, and its folder is not "..".
CLIP_PATH = re.compile(r"[0-9a-f]/[A-Za-z0-9_.-]+\.mp3")

_MADE_HERE = ("demo", "magnatagatune")


def corpora_folder() -> Path:
    """Folder that holds the corpora: the environment variable AUTOTAGGING_CORPORA or corpora/."""
    return Path(os.environ.get("AUTOTAGGING_CORPORA", "corpora"))


def corpus_folder(corpus: str) -> Path:
    """Folder of a corpus: demo and magnatagatune are in `corpora_folder`.

    Any other corpus is given by the path of its folder, or by its name in `corpora_folder`.
    """
    path = Path(corpus).expanduser()
    below = corpora_folder() / corpus
    if corpus in _MADE_HERE or (below.is_dir() and not path.is_dir()):
        return below
    return path


def corpus_title(corpus: str) -> str:
    """Title of a corpus in the results: demo, magnatagatune, or "folder" with the folder's name."""
    return corpus if corpus in _MADE_HERE else f"folder {Path(corpus).name}"
