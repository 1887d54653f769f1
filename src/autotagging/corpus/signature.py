"""Tell whether the audio of a corpus has changed without reading it."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from autotagging.common.errors import UserError
from autotagging.corpus.paths import (
    AUDIO_SUFFIXES,
    archive_files,
    clip_folder,
    corpus_folder,
    is_made_here,
)


def audio_signature(corpus: str) -> str:
    """Hash the names, sizes and modification times of the audio files of a corpus.

    The demo and MagnaTagATune have none: the step download writes their audio itself, checks it by
    its checksums, and must not run again because of what it has written.

    Parameters
    ----------
    corpus
        Corpus as in params.yaml.

    Returns
    -------
    signature
        Hexadecimal SHA-256; "" for a corpus that has none, or whose audio can't be listed (the
        step download then says why).
    """
    if is_made_here(corpus):
        return ""
    try:
        lines = sorted(_lines(corpus_folder(corpus)))
    except (UserError, OSError):
        return ""
    return hashlib.sha256("".join(lines).encode(errors="surrogateescape")).hexdigest()


def _lines(folder: Path) -> Iterator[str]:
    """Describe each file in a line; a link is described by the file that it leads to."""
    if archives := archive_files(folder):
        for archive in archives:
            yield _line(archive.name, archive.stat())
    elif root := clip_folder(folder):
        for clips in root.glob("[0-9a-f]/"):
            with os.scandir(clips) as files:
                for file in files:
                    if file.name.endswith(AUDIO_SUFFIXES):
                        yield _line(f"{clips.name}/{file.name}", _status(file))


def _status(file: os.DirEntry[str]) -> os.stat_result:
    try:
        return file.stat()
    except OSError:  # a link to nothing, or a loop of links
        return file.stat(follow_symlinks=False)


def _line(name: str, status: os.stat_result) -> str:
    return f"{name}\0{status.st_size}\0{status.st_mtime_ns}\n"
