"""What a process of `pool` does: load the model once, and tag one song after another."""

import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from autotagging.common.errors import UserError
from autotagging.tagging.audio import check_file
from autotagging.tagging.audio_hash import audio_sha256
from autotagging.tagging.bundle import Tagger, load_tagger
from autotagging.tagging.errors import AudioError
from autotagging.tagging.songs import tag_song

READY, UNUSABLE, FAILED, ALIVE, DONE = "ready", "unusable", "failed", "alive", "done"
"""Kinds of messages: the model is loaded; it never can be; it could not be this time, with the
reason; seconds of the song that have been decoded; the result of a song."""


@dataclass(frozen=True)
class Work:
    """What each process does with a song.

    Attributes
    ----------
    model
        Bundle or model folder, see `bundle.load_tagger`.
    hop, excerpts, keep_windows
        See `songs.tag_song`.
    known
        SHA-256 of audio that has been tagged before; such a song is not tagged again.
    threads
        Threads of the network in each process.
    most_seconds
        Longest song; a longer one gets the error "too_long".
    """

    model: Path
    hop: float | None = None
    excerpts: int | None = None
    keep_windows: bool = False
    known: frozenset[str] = frozenset()
    threads: int = 1
    most_seconds: float = math.inf


def error_of(song: Path, kind: str, message: str) -> dict[str, Any]:
    """Make the result of a song that can't be tagged."""
    return {"path": str(song), "error": {"type": kind, "message": message}}


def work_on_songs(pipe: Connection, work: Work) -> None:
    """Tag the songs that come through the pipe, until it is closed; runs in the process."""
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 2)  # mpg123 has a line for each fault of a file
    try:
        tagger = load_tagger(work.model, threads=work.threads)
    except UserError as error:
        pipe.send((UNUSABLE, str(error)))
        return
    except Exception as error:
        pipe.send((FAILED, f"{type(error).__name__}: {error}"))
        return
    pipe.send((READY, None))
    while True:
        song = pipe.recv()
        on_window = partial(_report, pipe, work.most_seconds)
        pipe.send((DONE, _result(song, tagger, work, on_window)))


def _report(pipe: Connection, most_seconds: float, seconds: float) -> None:
    """Tell the process above how much of a song has been decoded, or end one that is too long."""
    if seconds > most_seconds:
        raise AudioError("too_long", f"longer than {most_seconds / 60:g} minutes")
    pipe.send((ALIVE, seconds))


def _result(
    song: Path, tagger: Tagger, work: Work, on_window: Callable[[float], None]
) -> dict[str, Any]:
    try:
        status = check_file(song)
        file = {"bytes": status.st_size, "mtime_ns": status.st_mtime_ns}
        file = {
            "path": str(song),
            "audio_sha256": audio_sha256(song, on_piece=partial(on_window, 0.0)),
            **file,
        }
        on_window(0.0)
        if file["audio_sha256"] in work.known:
            return {**file, "known": True}
        found = tag_song(
            song,
            tagger,
            hop=work.hop,
            excerpts=work.excerpts,
            keep_windows=work.keep_windows,
            on_window=on_window,
        )
        return {**file, "model": tagger.description.digest, **found}
    except AudioError as error:
        return error_of(song, error.kind, error.message)
    except ConnectionError:  # of the pipe
        raise
    except OSError as error:
        return error_of(song, "unreadable", error.strerror or str(error))
    except Exception as error:
        return error_of(song, "failed", f"{type(error).__name__}: {error}")
