"""Divide clips into training, validation and test set; measure the leakage (sec. II.A)."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from autotagging.dataset.groups import LEVELS, group_ids
from autotagging.dataset.subsets import SUBSETS

Scheme = Literal["random", "folder", "track", "album", "artist", "file"]
# Weights of the size error relative to the tag error: the tags are balanced first, then the
# sizes are corrected.
_WEIGHTS_OF_SIZE = (1.0, 1000.0)
_BLOCK = 10_000  # groups that are compared before one of them moves
_FEW = 7  # groups of which all placements are compared: at most 3 ** 7
_DIGITS = 12  # of a squared error, so that rounding errors never decide
_FOLDERS = {**dict.fromkeys("0123456789ab", "train"), "c": "validation"}
_FOLDERS |= dict.fromkeys("def", "test")


@dataclass(frozen=True)
class SplitSettings:
    """Settings of the split.

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
        Seed of the shuffle of the clips or groups; schemes folder and file ignore it.
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

    Raises
    ------
    ValueError
        A subset has no positive weight, or there is none of its name.
    """
    _check_weights(weights)
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

    Groups are shuffled and placed greedily; then single groups move as long as the error falls. So
    another seed gives another split. Of a few groups, all placements are compared. No subset is
    empty if there are at least three groups. The error is the squared relative error of each
    subset's size and of each tag's positives in it.

    Parameters
    ----------
    groups : (clips,)
        Id of each clip's group, from `dataset.groups.group_ids`, indexed by clip_id.
    labels : (clips, tags)
        0 and 1, indexed by clip_id.
    weights
        Number of clips of each subset, or their proportions.
    seed
        Seed of the shuffle, any integer.

    Returns
    -------
    subset : (clips,)
        Indexed by clip_id, in the order of `groups`.

    Raises
    ------
    ValueError
        A subset has no positive weight, or there is none of its name.
    """
    _check_weights(weights)
    counts = labels.reindex(groups.index).groupby(groups.to_numpy()).sum()
    counts = counts.loc[_shuffled(counts.index, seed)]
    clips = groups.value_counts().loc[counts.index]
    amounts = np.column_stack([counts, clips]).astype(float)  # (groups, tags + 1)
    sizes = np.array([weights[name] for name in SUBSETS], np.float64)
    targets = np.outer(sizes / sizes.sum(), amounts.sum(axis=0))  # (subsets, tags + 1)
    is_size = np.arange(amounts.shape[1]) == labels.shape[1]
    scales = [
        (weight * is_size + ~is_size / max(labels.shape[1], 1)) / np.maximum(targets, 1.0) ** 2
        for weight in _WEIGHTS_OF_SIZE
    ]
    if len(amounts) <= _FEW:
        place = _best_place(amounts, targets, scales[-1])
    else:
        place, error = np.zeros(len(amounts), int), -targets
        _place(place, error, amounts, scales[0])
        _fill(place, error, amounts, scales[-1])
        for scale in scales:
            _improve(place, error, amounts, scale)
    by_group = pd.Series(np.array(SUBSETS, dtype=object)[place], index=counts.index)
    return pd.Series(by_group.loc[groups].to_numpy(), index=groups.index, name="subset")


def _check_weights(weights: Mapping[str, int]) -> None:
    if {*weights} != {*SUBSETS} or min(weights.values()) <= 0:
        raise ValueError(
            f"weights are {dict(weights)}; expected positive numbers of {', '.join(SUBSETS)}"
        )


def _best_place(amounts: np.ndarray, targets: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Find the subset of each group with the least squared error, and no subset empty."""
    places = np.array([*product(range(len(targets)), repeat=len(amounts))])
    sums = np.stack([(places == subset) @ amounts for subset in range(len(targets))], axis=1)
    error = (scale * (sums - targets) ** 2).sum(axis=(1, 2))
    used = np.array([len(set(place)) for place in places.tolist()])
    return places[np.where(used == used.max(), np.round(error, _DIGITS), np.inf).argmin()]


def _place(place: np.ndarray, error: np.ndarray, amounts: np.ndarray, scale: np.ndarray) -> None:
    """Put each group, in order, into the subset where it adds least to the squared error."""
    for group, amount in enumerate(amounts):
        added = (2 * error + amount) * amount * scale
        place[group] = np.argmin(np.round(added.sum(axis=1), _DIGITS))
        error[place[group]] += amount


def _fill(place: np.ndarray, error: np.ndarray, amounts: np.ndarray, scale: np.ndarray) -> None:
    """Move a group into each empty subset: the one that adds least to the squared error."""
    for target in range(len(error)):
        if not (place == target).any():
            square = amounts**2 @ scale.T
            change = _changes(place, error, amounts, square, scale)[:, target]
            movable = np.bincount(place, minlength=len(error))[place] > 1
            group = int(np.where(movable, change, np.inf).argmin())
            _move(place, error, amounts, group, target)


def _improve(place: np.ndarray, error: np.ndarray, amounts: np.ndarray, scale: np.ndarray) -> None:
    """Repeat the move of one group that lowers the squared error most, until no move lowers it.

    A move never empties a subset. Many groups are compared block by block, so that a move never
    requires a search of all groups.
    """
    square = amounts**2 @ scale.T  # (groups, subsets)
    step = -(-len(place) // _BLOCK)
    blocks = [slice(first, None, step) for first in range(step)]
    for _ in range(10 * len(place)):
        moved = False
        for block in blocks:
            change = _changes(place[block], error, amounts[block], square[block], scale)
            last = np.bincount(place, minlength=len(error))[place[block]] == 1
            change[last] = 0.0
            group, target = divmod(int(change.argmin()), len(error))
            if change[group, target] < 0:
                _move(place[block], error, amounts[block], group, target)
                moved = True
        if not moved:
            return


def _changes(
    place: np.ndarray,
    error: np.ndarray,
    amounts: np.ndarray,
    square: np.ndarray,
    scale: np.ndarray,
) -> np.ndarray:
    """Change of the squared error by each single move of these groups: (groups, subsets)."""
    rows = np.arange(len(place))
    linear = amounts @ (2 * error * scale).T
    left = square[rows, place] - linear[rows, place]
    change = np.round(linear + square + left[:, None], _DIGITS)
    change[rows, place] = 0.0
    return change


def _move(
    place: np.ndarray, error: np.ndarray, amounts: np.ndarray, group: int, target: int
) -> None:
    error[place[group]] -= amounts[group]
    error[target] += amounts[group]
    place[group] = target


def apportion(total: int, weights: Mapping[str, int]) -> dict[str, int]:
    """Divide a total in proportion to weights, by largest remainder; ties go to the first.

    No size is 0 where the total is at least the number of weights.
    """
    exact = {name: total * weight / sum(weights.values()) for name, weight in weights.items()}
    sizes = {name: int(share) for name, share in exact.items()}
    by_remainder = sorted(weights, key=lambda name: sizes[name] - exact[name])
    for name in by_remainder[: total - sum(sizes.values())]:
        sizes[name] += 1
    while total >= len(sizes) and not all(sizes.values()):
        sizes[max(sizes, key=sizes.get)] -= 1
        sizes[min(sizes, key=sizes.get)] += 1
    return sizes


def leakage(subset: pd.Series, groups: pd.DataFrame) -> pd.DataFrame:
    """Share of test clips whose track, album or artist is also in the training set.

    Parameters
    ----------
    subset : (clips,)
        Indexed by clip_id.
    groups : (clips, 3)
        track, album and artist, indexed by clip_id, NaN where unknown; clips may be missing. See
        `group_ids` for what clips of an unknown group share.

    Returns
    -------
    leakage : (3, 3)
        level, share (0 to 1; NaN without test clips), clips_without_group (clips of all subsets of
        which the track, album or artist is unknown).
    """
    ids = {level: group_ids(groups, level, subset.index) for level in LEVELS}
    train, test = subset == "train", subset == "test"
    shares = [ids[level][test].isin(ids[level][train]).mean() for level in LEVELS]
    unknown = groups.reindex(subset.index)[[*LEVELS]].isna().sum().to_numpy()
    return pd.DataFrame({"level": LEVELS, "share": shares, "clips_without_group": unknown})


def _shuffled(names: Iterable[object], seed: int) -> list:
    return sorted(names, key=lambda name: hashlib.sha256(f"{seed}:{name}".encode()).digest())
