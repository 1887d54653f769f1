"""Location and file names of a corpus in MagnaTagATune's format (sec. II.A)."""

import os
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from unicodedata import normalize

from autotagging.common.errors import UserError

ANNOTATIONS = "annotations_final.csv"
CLIP_INFO = "clip_info_final.csv"
ARCHIVE = "mp3.zip"
VOCABULARY = "tags.yaml"
"""Synonyms and categories of the tags of a corpus folder, which may lack it."""
VOCABULARY_COPY = "corpus_tags.yaml"
"""Copy of it among the results of merge_tags."""
AUDIO_SUFFIXES = (".mp3", ".flac", ".ogg", ".wav")
# A path of this form can't leave the corpus: it has one slash, and its folder is not "..".
# Names may have spaces and letters of any language, but no control characters.
CLIP_PATH = re.compile(r"[0-9a-f]/[^/\\\x00-\x1f\x7f]+\.(?:mp3|flac|ogg|wav)")

# A zip ends with a record of 22 bytes and a comment of at most 65,535.
_MOST_AFTER_END = 22 + 65_535
_MAGNATAGATUNE = "magnatagatune"
_MADE_HERE = ("demo", _MAGNATAGATUNE)


def corpora_folder() -> Path:
    """Folder that holds the corpora: the environment variable AUTOTAGGING_CORPORA or corpora/."""
    return _project() / os.environ.get("AUTOTAGGING_CORPORA", "corpora")


def _project() -> Path:
    """Folder that relative paths of corpora start from.

    It is the working folder; for an experiment, which DVC runs in a copy of what git tracks, it is
    the project that the copy is in.
    """
    root = Path(os.environ.get("DVC_ROOT", "")).resolve()
    return root if root / ".dvc/tmp" in Path.cwd().parents else Path()


def corpus_folder(corpus: str) -> Path:
    """Folder of a corpus: demo and magnatagatune are in `corpora_folder`.

    Any other corpus is given by the path of its folder, or by its name in `corpora_folder`.
    """
    path = _project() / Path(corpus).expanduser()
    below = corpora_folder() / corpus
    if is_made_here(corpus) or (below.is_dir() and not path.is_dir()):
        return below
    return path


def is_made_here(corpus: str) -> bool:
    """Tell whether the step download makes or downloads a corpus itself."""
    return corpus in _MADE_HERE


def corpus_title(corpus: str) -> str:
    """Title of a corpus in the results: demo, magnatagatune, or "folder" with the folder's name."""
    return corpus if is_made_here(corpus) else f"folder {Path(corpus).name}"


def own_title(missing: int) -> str:
    """Title of a folder that has MagnaTagATune's tables, and audio that can't be verified.

    Parameters
    ----------
    missing
        Number of annotated clips without a file.
    """
    lacking = f", {missing} {'clip' if missing == 1 else 'clips'} missing" if missing else ""
    return f"{_MAGNATAGATUNE} (own files{lacking})"


def is_magnatagatune(title: str) -> bool:
    """Tell whether a title is that of MagnaTagATune, downloaded here or in files of one's own."""
    return title == _MAGNATAGATUNE or title.startswith(f"{_MAGNATAGATUNE} (own files")


def is_whole_magnatagatune(title: str) -> bool:
    """Tell whether a title is that of MagnaTagATune with all its clips."""
    return title in (_MAGNATAGATUNE, own_title(0))


def normal_form(mp3_path: str) -> str:
    """Spell a path as it is compared: macOS stores an umlaut as a letter and a mark."""
    return normalize("NFC", mp3_path)


def split_name(name: str) -> tuple[str, str] | None:
    """Split the name of a file into the folder that the clips are in, and the clip's mp3_path.

    Backslashes count as slashes. The folder is "" where the folders 0 to f are at the top; None
    for a name that is not that of a clip.
    """
    parts = [part for part in name.replace("\\", "/").split("/") if part != "."]
    mp3_path = "/".join(parts[-2:])
    if not parts or not parts[0] or ".." in parts or not CLIP_PATH.fullmatch(mp3_path):
        return None
    return "/".join(parts[:-2]), normal_form(mp3_path)


def choose_folder(folders: Iterable[str], where: Path) -> str:
    """Choose the folder that holds the folders 0 to f: the top, mp3, or else the only one.

    Raises
    ------
    UserError
        There are several.
    """
    found = sorted(folder for folder in folders if not folder.startswith("__MACOSX"))
    for usual in ("", "mp3"):
        if usual in found:
            return usual
    if len(found) > 1:
        raise UserError(
            f"{where}: clips in several folders, {found[0]} and {found[1]}; keep one of them"
        )
    return found[0] if found else ""


def archive_files(folder: Path) -> list[Path]:
    """List the files of a corpus folder's archive: [mp3.zip], its parts in order, or [].

    An archive whose end or a part is missing does not count where the clips are also unpacked.

    Raises
    ------
    UserError
        A part is missing, or the archive has volumes, which are not parts cut by bytes.
    """
    whole = folder / ARCHIVE
    if volumes := sorted(folder.glob(f"{whole.stem}.z[0-9][0-9]")):
        raise UserError(
            f"{folder}: {volumes[0].name} and {ARCHIVE} are volumes of one archive; join them with "
            f"`zip -s 0 {ARCHIVE} --out joined.zip`, delete them, and name it {ARCHIVE}"
        )
    found = [whole] if whole.exists() else sorted(folder.glob(f"{ARCHIVE}.[0-9][0-9][0-9]"))
    numbered = (folder / f"{ARCHIVE}.{number:03}" for number in range(1, len(found) + 1))
    lacking = [part.name for part in numbered if part not in found and found != [whole]]
    if found and (lacking or not _ends_zip(found[-1])) and clip_folder(folder):
        return []
    if lacking:
        raise UserError(f"{folder}: {lacking[0]} is missing; download it again")
    return found


def _ends_zip(path: Path) -> bool:
    """Tell whether a file has the record with which a zip ends."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _MOST_AFTER_END))
        return b"PK\x05\x06" in file.read()


def clip_folder(folder: Path) -> Path | None:
    """Find the folders 0 to f of a corpus: at the top, in mp3, or in the only folder with clips."""
    for usual in (folder, folder / "mp3"):
        if any(map(_has_audio, usual.glob("[0-9a-f]/"))):
            return usual
    files = (file for depth in ("*", "*/*") for file in folder.glob(f"{depth}/[0-9a-f]/*"))
    clips = (file for file in files if file.suffix in AUDIO_SUFFIXES)
    found = {clip.parent.parent.relative_to(folder).as_posix() for clip in clips}
    return folder / choose_folder(found, folder) if found else None


def _has_audio(folder: Path) -> bool:
    """Tell whether there is a file with the name of an audio file in a folder."""
    with suppress(OSError), os.scandir(folder) as files:
        return any(file.name.endswith(AUDIO_SUFFIXES) for file in files)
    return False
