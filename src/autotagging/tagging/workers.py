"""Tag songs in several processes, so that a bad file costs no more than its own result.

A decoder may hang or end the process that it runs in. Then the process is replaced, and the song
gets the error. Each process loads the model once and takes one song after another.
"""

import math
import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from multiprocessing import connection, get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from autotagging.common.errors import UserError
from autotagging.tagging.audio import check_file
from autotagging.tagging.audio_hash import audio_sha256
from autotagging.tagging.bundle import Tagger, load_tagger
from autotagging.tagging.errors import AudioError
from autotagging.tagging.songs import tag_song

_STARTS = 3  # that may fail one after another
_TO_START = 300.0  # seconds in which a process has to load its model
_ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)
_READY, _UNUSABLE, _ALIVE, _DONE = "ready", "unusable", "alive", "done"


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


def cores() -> int:
    """Count the processor cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS
        return os.cpu_count() or 1


def tag_songs(
    songs: Iterable[Path], work: Work, *, workers: int, timeout: float
) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Tag songs in several processes.

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
        The model can't be loaded.
    """
    todo = iter(songs)
    pool: list[Worker] = []
    try:
        for song in todo:
            pool.append(Worker(work, song))
            if len(pool) == workers:
                break
        while pool:
            for worker in _that_changed(pool, timeout):
                result = worker.result(timeout)
                if result is None:
                    continue
                yield worker.song, result
                worker.song = next(todo, None)
                if worker.song is None:
                    worker.stop()
                    pool.remove(worker)
                else:
                    worker.go_on()
    finally:
        for worker in pool:
            worker.stop()


def _that_changed(pool: list["Worker"], timeout: float) -> list["Worker"]:
    """Wait for a message, the end of a process, or a time-out; list the processes concerned."""
    before = time.monotonic()
    patience = max(min(worker.deadline(timeout) for worker in pool) - before, 0.0)
    changed = {*connection.wait([worker.pipe for worker in pool], patience)}
    now = time.monotonic()
    if (stopped := now - before - patience) > 1:  # this process was, and so were the others
        for worker in pool:
            worker.heard += stopped
    return [w for w in pool if w.pipe in changed or w.deadline(timeout) <= now]


class Worker:
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
        self._start()

    def _start(self) -> None:
        context = get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process: BaseProcess = context.Process(
            target=_work, args=(theirs, self._work), daemon=True
        )
        kept = {name: os.environ.get(name) for name in _ONE_THREAD}
        os.environ.update(_ONE_THREAD)
        try:
            self.process.start()
        finally:
            for name, value in kept.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value
        theirs.close()
        self.ready, self.heard = False, time.monotonic()

    def deadline(self, timeout: float) -> float:
        """Time, of time.monotonic, at which the process has taken too long."""
        return self.heard + (timeout if self.ready else _TO_START)

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
        if not self.process.is_alive():
            self._start()
        elif self.ready:
            self._send()

    def _send(self) -> None:
        self.heard, self.seconds = time.monotonic(), 0.0
        try:
            self.pipe.send(self.song)
        except OSError:  # it has ended since
            self.process.join()
            self._start()

    def result(self, timeout: float) -> dict[str, Any] | None:
        """Read a message: a result, an error, or None if the process is still at the song."""
        if not self.pipe.poll():
            return self._stopped(timeout)
        try:
            kind, content = self.pipe.recv()
        except (EOFError, OSError):
            return self._ended()
        self.heard = time.monotonic()
        if kind == _UNUSABLE:
            raise UserError(content)
        if kind == _READY:
            self.ready, self._failed_starts = True, 0
            if self.song is not None:
                self._send()
        if kind == _ALIVE:
            self.seconds = content
        return content if kind == _DONE else None

    def _stopped(self, timeout: float) -> dict[str, Any] | None:
        self.stop()
        if not self.ready:
            return self._start_again(f"not loaded within {_TO_START:.0f} s")
        return _error(self.song, "timeout", f"nothing was decoded and scored for {timeout:g} s")

    def _ended(self) -> dict[str, Any] | None:
        self.process.join()
        self.pipe.close()
        how = _how_it_ended(self.process.exitcode)
        if not self.ready:
            return self._start_again(f"the process that loads it ended {how}")
        return _error(self.song, "worker_died", f"the process that read it ended {how}")

    def _start_again(self, reason: str) -> None:
        """Try again to load the model; a machine may be out of memory for a moment."""
        self._failed_starts += 1
        if self._failed_starts == _STARTS:
            raise UserError(f"{self._work.model}: {reason}")
        self._start()

    def stop(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.join()
        self.pipe.close()


def _how_it_ended(code: int | None) -> str:
    if code is not None and code < 0:
        name = signal.Signals(-code).name if -code in {*signal.Signals} else -code
        return f"by signal {name}" + (", perhaps for want of memory" if code == -9 else "")
    return f"with exit code {code}"


def _error(song: Path, kind: str, message: str) -> dict[str, Any]:
    return {"path": str(song), "error": {"type": kind, "message": message}}


def _work(pipe: Connection, work: Work) -> None:
    """Tag the songs that come through the pipe, until it is closed; runs in the process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process above ends this one
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 2)  # mpg123 has a line for each fault of a file
    try:
        try:
            tagger = load_tagger(work.model, threads=work.threads)
        except UserError as error:
            pipe.send((_UNUSABLE, str(error)))
            return
        except Exception as error:
            pipe.send((_UNUSABLE, f"{work.model}: {type(error).__name__}: {error}"))
            return
        pipe.send((_READY, None))
        while True:
            song = pipe.recv()
            on_window = partial(_report, pipe, work.most_seconds)
            pipe.send((_DONE, _result(song, tagger, work, on_window)))
    except (EOFError, OSError):  # the process above has ended
        return


def _report(pipe: Connection, most_seconds: float, seconds: float) -> None:
    """Tell the process above how much of a song has been decoded, or end one that is too long."""
    if seconds > most_seconds:
        raise AudioError("too_long", f"longer than {most_seconds / 60:g} minutes")
    pipe.send((_ALIVE, seconds))


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
        return _error(song, error.kind, error.message)
    except ConnectionError:  # of the pipe
        raise
    except OSError as error:
        return _error(song, "unreadable", error.strerror or str(error))
    except Exception as error:
        return _error(song, "failed", f"{type(error).__name__}: {error}")
