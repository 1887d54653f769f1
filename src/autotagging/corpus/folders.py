"""Write the folder of a corpus: tables in MagnaTagATune's format, and all of it or nothing."""

import csv
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from glob import escape
from pathlib import Path

from autotagging.common.files import flush_folder

CLIP_INFO_COLUMNS = ("clip_id", "track_number", "title", "artist", "album", "url", "segmentStart")
CLIP_INFO_COLUMNS += ("segmentEnd", "original_url", "mp3_path")


def write_table(path: Path, columns: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Write the official format: TABs, every field quoted, Windows line ends."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter="\t", quoting=csv.QUOTE_ALL, lineterminator="\r\n")
        writer.writerow(columns)
        writer.writerows(rows)


@contextmanager
def unfinished(folder: Path) -> Iterator[Path]:
    """Yield a new folder; on success, put it in the place of `folder`, once it is on the disk.

    Only one process may write the folder.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    remove_unfinished(folder)
    temporary = Path(tempfile.mkdtemp(prefix=_prefix(folder), dir=folder.parent))
    try:
        scratch = temporary / folder.name
        scratch.mkdir()
        yield scratch
        os.sync()
        if folder.exists():
            folder.rename(_replaced(temporary, folder))
        scratch.rename(folder)
        flush_folder(folder.parent)
    finally:
        _remove(temporary, folder)


def remove_unfinished(folder: Path) -> None:
    """Delete what processes that were killed while they wrote this folder have left behind.

    If one was killed after it had moved the folder away, the folder is put back.
    """
    for leftover in folder.parent.glob(f"{escape(_prefix(folder))}*"):
        _remove(leftover, folder)


def _remove(temporary: Path, folder: Path) -> None:
    """Delete a temporary folder, but for the folder that has been moved there and not replaced."""
    replaced = _replaced(temporary, folder)
    if replaced.exists() and not folder.exists():
        replaced.rename(folder)
    shutil.rmtree(temporary, ignore_errors=True)


def _replaced(temporary: Path, folder: Path) -> Path:
    return temporary / f"replaced-{folder.name}"


def _prefix(folder: Path) -> str:
    return f".{folder.name}-unfinished-"
