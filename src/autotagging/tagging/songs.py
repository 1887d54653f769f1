"""Tag a song: the mean of the scores of its windows."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from autotagging.common.errors import UserError
from autotagging.tagging.audio import Song
from autotagging.tagging.bundle import Description, Tagger
from autotagging.tagging.errors import AudioError
from autotagging.tagging.excerpts import cut_excerpts

_DIGITS = 6
_ROUNDING = 1e-6
_SHORTEST_HOP = 0.01  # seconds


def score_windows(
    path: Path,
    tagger: Tagger,
    *,
    hop: float | None = None,
    excerpts: int | None = None,
    on_window: Callable[[float], None] | None = None,
) -> tuple[Song, np.ndarray, np.ndarray]:
    """Score the windows of a song; windows of silence are left out.

    Parameters
    ----------
    path
        The song.
    tagger
        What to score it with.
    hop
        Seconds from the beginning of a window to that of the next; None: the length of a window,
        so that only the last two windows overlap.
    excerpts
        Number of windows that are decoded and scored, evenly spread; None: the whole song.
    on_window
        Called after each window with the seconds that have been decoded.

    Returns
    -------
    song
        With its length, and a warning if only the beginning could be decoded.
    starts : (windows,)
        Beginning of each window in seconds; below 0 for a song that is padded.
    scores : float32, (windows, tags)

    Raises
    ------
    AudioError
        The song can't be tagged; "failed" if a score is not from 0 to 1.
    """
    described = tagger.description
    song = Song(path, sample_rate=described.sample_rate)
    starts, scores = [], []
    samples = described.window_samples
    if excerpts is None:
        windows = song.windows(samples=samples, hop=hop_samples(described, hop))
    else:
        windows = cut_excerpts(song, samples=samples, count=excerpts)
    for window in windows:
        if not window.silent:
            starts.append(window.start)
            scores.append(_checked(tagger.scores(window.samples)))
        if on_window:
            on_window(song.seconds)
    if not scores:
        raise AudioError("silent")
    return song, np.array(starts), np.stack(scores)


def _checked(scores: np.ndarray) -> np.ndarray:
    """Raise AudioError unless scores are from 0 to 1; NaN is not."""
    if not ((scores >= -_ROUNDING) & (scores <= 1 + _ROUNDING)).all():
        raise AudioError("failed", "the network gave scores that are not from 0 to 1")
    return scores.clip(0, 1)


def hop_samples(described: Description, hop: float | None) -> int:
    """Convert a hop in seconds to samples: at least 1, and at most a window."""
    if hop is None:
        return described.window_samples
    return min(max(round(hop * described.sample_rate), 1), described.window_samples)


def checked_hop(described: Description, hop: float | None, *, otherwise: float) -> float:
    """Seconds between windows, as they are in the results.

    Parameters
    ----------
    described
        The tagger.
    hop
        Seconds of the flag --hop; None: it is not given.
    otherwise
        Seconds without the flag; a window if that is shorter.

    Raises
    ------
    UserError
        The flag is below 0.01 seconds, or longer than a window.
    """
    if hop is not None and not _SHORTEST_HOP <= hop <= described.window_seconds:
        raise UserError(
            f"--hop {hop:g}: expected {_SHORTEST_HOP:g} to {described.window_seconds:g} seconds, "
            "the length of a window"
        )
    return hop_samples(described, otherwise if hop is None else hop) / described.sample_rate


def tag_song(
    path: Path,
    tagger: Tagger,
    *,
    hop: float | None = None,
    excerpts: int | None = None,
    keep_windows: bool = False,
    on_window: Callable[[float], None] | None = None,
) -> dict[str, Any]:
    """Tag a song.

    Parameters
    ----------
    path, tagger, hop, excerpts, on_window
        See `score_windows`, which also lists the errors.
    keep_windows
        Whether the result has the scores of the windows.

    Returns
    -------
    result
        seconds: decoded length; windows: number of windows; hop, in seconds; scores: mean over the
        windows by tag, in the order of the model; tags: those at or above their threshold, the
        highest score first. Where it applies, excerpts; warning: why the end of the song is
        missing; window_starts, in seconds, and window_scores, a list of scores for each window.
    """
    described = tagger.description
    song, starts, scores = score_windows(
        path, tagger, hop=hop, excerpts=excerpts, on_window=on_window
    )
    means = scores.mean(axis=0, dtype=np.float64).round(_DIGITS).tolist()
    by_tag = dict(zip(described.tags, means, strict=True))
    result = {
        "seconds": round(song.seconds, 3),
        "windows": len(scores),
        "hop": hop_samples(described, hop) / described.sample_rate,
        "scores": by_tag,
        "tags": described.chosen(by_tag),
    }
    if excerpts is not None:
        result["excerpts"] = excerpts
    if song.warning:
        result["warning"] = song.warning
    if keep_windows:
        result["window_starts"] = starts.round(3).tolist()
        result["window_scores"] = scores.astype(np.float64).round(_DIGITS).tolist()
    return result
