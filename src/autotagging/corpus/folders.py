"""Write the folder of a corpus: tables in MagnaTagATune's format, and all of it or nothing."""

import csv
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from glob import escape
from pathlib import Path

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
    with tempfile.TemporaryDirectory(
        prefix=_prefix(folder), dir=folder.parent, ignore_cleanup_errors=True
    ) as temporary:
        scratch = Path(temporary, folder.name)
        scratch.mkdir()
        yield scratch
        os.sync()
        if folder.exists():
            folder.rename(scratch.with_name("replaced"))
        scratch.rename(folder)


def remove_unfinished(folder: Path) -> None:
    """Delete what processes that were killed while they wrote this folder have left behind."""
    for leftover in folder.parent.glob(f"{escape(_prefix(folder))}*"):
        shutil.rmtree(leftover, ignore_errors=True)


def _prefix(folder: Path) -> str:
    return f".{folder.name}-unfinished-"
