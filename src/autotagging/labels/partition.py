"""Divide clips into training, validation and test set; measure the leakage (sec. II.A)."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from autotagging.dataset.groups import LEVELS
from autotagging.dataset.subsets import SUBSETS

Scheme = Literal["random", "folder", "track", "album", "artist", "file"]
# Weights of the size error relative to the tag error: the tags are balanced first, then the
# sizes are corrected.
_WEIGHTS_OF_SIZE = (1.0, 1000.0)
_BLOCK = 10_000  # groups that are compared before one of them moves
_DIGITS = 12  # of a squared error, so that rounding errors never decide
_FOLDERS = {**dict.fromkeys("0123456789ab", "train"), "c": "validation"}
_FOLDERS |= dict.fromkeys("def", "test")


@dataclass(frozen=True)
class SplitSettings:
    """SplitSettings of the split.

    Attributes
    ----------
    scheme
        Scheme of the split: random (the paper's); folder (0 to b, c, d to f); track, album or
        artist (none is in two subsets); file (a given split).
    file
        Table of clip_id and subset (train, validation or test) for scheme file; clips that are
        missing in it are left out.
    untagged
        Treatment of clips without any of the kept tags: keep, as in the paper, or drop.
    train
        Number of training clips. The numbers of the three subsets are exact if they add up to the
        number of clips, otherwise proportions; schemes folder and file ignore them.
    validation
        Number of validation clips, exact or as a proportion of the three subsets.
    test
        Number of test clips, exact or as a proportion of the three subsets.
    seed
        Seed of the shuffle, and of ties between groups.
    """

    scheme: Scheme
    file: Path | None
    untagged: Literal["keep", "drop"]
    train: int
    validation: int
    test: int
    seed: int

    @property
    def weights(self) -> dict[str, int]:
        """Number of clips of each subset."""
        return {name: getattr(self, name) for name in SUBSETS}


def random_split(clip_ids: Sequence[int], *, weights: Mapping[str, int], seed: int) -> pd.Series:
    """Shuffle the clips and divide them by weight, as in the paper (sec. II.A).

    The clips are sorted by the SHA-256 of seed and clip_id, so their order is the same on every
    platform and with every library version.

    Parameters
    ----------
    clip_ids : (clips,)
    weights
        Number of clips of each subset: exact if they add up to all clips, else proportions.
    seed
        Seed of the shuffle, any integer.

    Returns
    -------
    subset : (clips,)
        Indexed by clip_id, in the order given.
    """
    shuffled = _shuffled(clip_ids, seed)
    sizes = apportion(len(shuffled), weights)
    subset = [name for name, size in sizes.items() for _ in range(size)]
    return pd.Series(subset, index=shuffled, dtype=object, name="subset").reindex(clip_ids)


def folder_split(mp3_paths: pd.Series) -> pd.Series:
    """Split by the corpus's folders: 0 to b train, c validation, d to f test.

    Most other work on MagnaTagATune uses this split: albums stay in one subset, artists don't.

    Parameters
    ----------
    mp3_paths : (clips,)
        Indexed by clip_id; the first character is the folder.

    Returns
    -------
    subset : (clips,)
        Indexed by clip_id.
    """
    return mp3_paths.str[0].map(_FOLDERS).rename("subset")


def group_split(
    groups: pd.Series, labels: pd.DataFrame, *, weights: Mapping[str, int], seed: int
) -> pd.Series:
    """Split so that no group (track, album or artist) is in two subsets.

    Groups are placed greedily, the largest first; then single groups move as long as the error
    falls. The error is the squared relative error of each subset's size and of each tag's
    positives in it.

    Parameters
    ----------
    groups : (clips,)
        Name of each clip's group, indexed by clip_id.
    labels : (clips, tags)
        0 and 1, indexed by clip_id.
    weights
        Number of clips of each subset, or their proportions.
    seed
        Seed of ties between groups, any integer.

    Returns
    -------
    subset : (clips,)
        Indexed by clip_id, in the order of `groups`.
    """
    counts = labels.reindex(groups.index).assign(clips=1).groupby(groups.to_numpy()).sum()
    counts = counts.loc[_shuffled(counts.index, seed)].sort_values(
        "clips", ascending=False, kind="stable"
    )
    amounts = counts.to_numpy(np.float64)  # (groups, tags + 1)
    sizes = np.array([weights[name] for name in SUBSETS], np.float64)
    targets = np.outer(sizes / sizes.sum(), amounts.sum(axis=0))  # (subsets, tags + 1)
    is_size = (counts.columns == "clips").astype(float)
    scales = [
        (weight * is_size + (1 - is_size) / labels.shape[1]) / np.maximum(targets, 1.0) ** 2
        for weight in _WEIGHTS_OF_SIZE
    ]
    place, error = np.zeros(len(amounts), int), -targets
    _place(place, error, amounts, scales[0])
    for scale in scales:
        _improve(place, error, amounts, scale)
    by_group = pd.Series(np.array(SUBSETS, dtype=object)[place], index=counts.index)
    return pd.Series(by_group.loc[groups].to_numpy(), index=groups.index, name="subset")


def _place(place: np.ndarray, error: np.ndarray, amounts: np.ndarray, scale: np.ndarray) -> None:
    """Put each group, in order, into the subset where it adds least to the squared error."""
    for group, amount in enumerate(amounts):
        added = (2 * error + amount) * amount * scale
        place[group] = np.argmin(np.round(added.sum(axis=1), _DIGITS))
        error[place[group]] += amount


def _improve(place: np.ndarray, error: np.ndarray, amounts: np.ndarray, scale: np.ndarray) -> None:
    """Repeat the move of one group that lowers the squared error most, until no move lowers it.

    Many groups are compared block by block, so that a move never requires a search of all groups.
    """
    square = amounts**2 @ scale.T  # (groups, subsets)
    step = -(-len(place) // _BLOCK)
    blocks = [slice(first, None, step) for first in range(step)]
    for _ in range(10 * len(place)):
        moves = [
            _move_best(place[block], error, amounts[block], square[block], scale)
            for block in blocks
        ]
        if not any(moves):
            return


def _move_best(
    place: np.ndarray,
    error: np.ndarray,
    amounts: np.ndarray,
    square: np.ndarray,
    scale: np.ndarray,
) -> bool:
    """Make the best single move of these groups; False if no move lowers the error."""
    rows = np.arange(len(place))
    linear = amounts @ (2 * error * scale).T
    left = square[rows, place] - linear[rows, place]
    change = np.round(linear + square + left[:, None], _DIGITS)
    change[rows, place] = 0.0
    group, target = divmod(int(change.argmin()), len(error))
    if change[group, target] >= 0:
        return False
    error[place[group]] -= amounts[group]
    error[target] += amounts[group]
    place[group] = target
    return True


def apportion(total: int, weights: Mapping[str, int]) -> dict[str, int]:
    """Divide a total in proportion to weights, by largest remainder; ties go to the first."""
    exact = {name: total * weight / sum(weights.values()) for name, weight in weights.items()}
    sizes = {name: int(share) for name, share in exact.items()}
    by_remainder = sorted(weights, key=lambda name: sizes[name] - exact[name])
    for name in by_remainder[: total - sum(sizes.values())]:
        sizes[name] += 1
    return sizes


def leakage(subset: pd.Series, groups: pd.DataFrame) -> pd.DataFrame:
    """Share of test clips whose track, album or artist is also in the training set.

    Parameters
    ----------
    subset : (clips,)
        Indexed by clip_id.
    groups : (clips, 3)
        track, album and artist, indexed by clip_id; a missing clip shares none of them.

    Returns
    -------
    leakage : (3, 2)
        level, share (0 to 1; NaN without test clips).
    """
    groups = groups.reindex(subset.index)
    train, test = groups[subset == "train"], groups[subset == "test"]
    shares = [test[level].isin(train[level].dropna()).mean() for level in LEVELS]
    return pd.DataFrame({"level": LEVELS, "share": shares})


def _shuffled(names: Iterable[object], seed: int) -> list:
    return sorted(names, key=lambda name: hashlib.sha256(f"{seed}:{name}".encode()).digest())
