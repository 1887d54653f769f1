"""Tag songs in several processes, so that a bad file costs no more than its own result.

A decoder may hang or end the process that it runs in. Then the process is replaced, and the song
gets the error. Each process loads the model once and takes one song after another.
"""

import signal
import time
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from autotagging.common.errors import UserError
from autotagging.tagging.child import (
    ALIVE,
    DONE,
    FAILED,
    READY,
    UNUSABLE,
    Work,
    error_of,
    work_on_songs,
)
from autotagging.tagging.processes import TO_START, Process, that_changed

_STARTS = 3  # that may fail one after another


def tag_songs(
    songs: Iterable[Path], work: Work, *, workers: int, timeout: float
) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Tag songs in several processes.

    If a process can't be replaced, the others go on with its song; without any, the songs that are
    left have the error "worker_died".

    Parameters
    ----------
    songs
        Paths of the songs.
    work
        What to do with each.
    workers
        Number of processes.
    timeout
        Seconds in which the next window of a song has to be scored; a process that takes longer is
        stopped.

    Yields
    ------
    path, result
        In the order in which they are done. A result has path, audio_sha256, bytes and mtime_ns of
        the file, model (digest of the tagger) and what `songs.tag_song` returns; or, for known
        audio, "known": True in place of both; or only "path" and "error": {"type", "message"}.

    Raises
    ------
    UserError
        No process could load the model.
    """
    todo = iter(songs)
    pool: list[Worker] = []
    loaded = False
    try:
        for song in todo:
            try:
                pool.append(Worker(work, song))
            except UserError:
                if not pool:
                    raise
                todo = chain([song], todo)
                break
            if len(pool) == workers:
                break
        while pool:
            for worker in that_changed(pool, timeout):
                try:
                    result = worker.result(timeout)
                    loaded |= worker.ready
                    if result is None:
                        continue
                    yield worker.song, result
                    worker.song = next(todo, None)
                    if worker.song is not None:
                        worker.go_on()
                except UserError as error:
                    todo, reason = chain([worker.song], todo), str(error)
                    worker.song = None
                    if not loaded and len(pool) == 1:
                        raise
                if worker.song is None:
                    worker.stop()
                    pool.remove(worker)
        for song in todo:
            yield song, error_of(song, "worker_died", reason)
    finally:
        for worker in pool:
            worker.stop()


class Worker(Process):
    """A process that loads the model and tags one song after another.

    Parameters
    ----------
    work
        What to do with a song.
    song
        The first song; None: none yet.

    Attributes
    ----------
    song
        The song that it is at: to be set before `go_on`.
    seconds
        Seconds of the song that have been decoded.
    ready
        Whether the model is loaded.
    """

    def __init__(self, work: Work, song: Path | None = None):
        self.song = song
        self.seconds = 0.0
        self._work = work
        self._failed_starts = 0
        super().__init__(work_on_songs, work)

    def wait(self, timeout: float, *, at_most: float) -> bool:
        """Wait until `result` may be called, but no longer than some seconds; tell whether it may.

        Parameters
        ----------
        timeout
            See `tag_songs`.
        at_most
            Seconds to wait.
        """
        patience = self.deadline(timeout) - time.monotonic()
        return self.pipe.poll(max(min(patience, at_most), 0.0)) or patience <= 0

    def go_on(self) -> None:
        """Give the process its song; start another one if it has ended."""
        if not self.is_alive():
            self.restart()
        elif self.ready:
            self._send()

    def _send(self) -> None:
        self.heard, self.seconds = time.monotonic(), 0.0
        try:
            self.pipe.send(self.song)
        except OSError:  # it has ended since
            self.restart()

    def result(self, timeout: float) -> dict[str, Any] | None:
        """Read a message: a result, an error, or None if the process is still at the song."""
        if not self.pipe.poll():
            return self._stopped(timeout)
        try:
            kind, content = self.pipe.recv()
        except (EOFError, OSError):
            return self._ended()
        self.heard = time.monotonic()
        if kind == UNUSABLE:
            raise UserError(content)
        if kind == FAILED:
            self.stop()
            self._start_again(content)
        if kind == READY:
            self.ready, self._failed_starts = True, 0
            if self.song is not None:
                self._send()
        if kind == ALIVE:
            self.seconds = content
        return content if kind == DONE else None

    def _stopped(self, timeout: float) -> dict[str, Any] | None:
        self.stop()
        if not self.ready:
            return self._start_again(f"not loaded within {TO_START:.0f} s")
        return error_of(self.song, "timeout", f"nothing was decoded and scored for {timeout:g} s")

    def _ended(self) -> dict[str, Any] | None:
        self.process.join()
        self.stop()  # its decoder may be left
        how = _how_it_ended(self.process.exitcode)
        if not self.ready:
            return self._start_again(f"the process that loads it ended {how}")
        return error_of(self.song, "worker_died", f"the process that read it ended {how}")

    def _start_again(self, reason: str) -> None:
        """Try again to load the model; a machine may be out of memory for a moment."""
        self._failed_starts += 1
        if self._failed_starts >= _STARTS:
            self._failed_starts = 0
            raise UserError(f"{self._work.model}: {reason}")
        self._start()


def _how_it_ended(code: int | None) -> str:
    if code is not None and code < 0:
        name = signal.Signals(-code).name if -code in {*signal.Signals} else -code
        return f"by signal {name}" + (", perhaps for want of memory" if code == -9 else "")
    return f"with exit code {code}"
