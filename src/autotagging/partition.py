"""Divide clips into training, validation and test set, and see what leaks between them."""

import hashlib
from collections.abc import Mapping, Sequence

import pandas as pd

SUBSETS = ("train", "validation", "test")
LEVELS = ("track", "album", "artist")


def random_split(clip_ids: Sequence[int], *, weights: Mapping[str, int], seed: int) -> pd.Series:
    """Shuffle the clips and cut them by weight, as the paper did (sec. II.A).

    A clip's place in the shuffle is the SHA-256 of seed and clip_id, so it is the same on every
    platform and with every version of every library.

    Parameters
    ----------
    clip_ids : (clips,)
    weights
        Clips of each subset; exact where they add up to the number of clips, else proportional.
    seed
        Any integer.

    Returns
    -------
    subset : (clips,)
        Indexed by clip_id, in the order given.
    """
    shuffled = sorted(clip_ids, key=lambda clip: hashlib.sha256(f"{seed}:{clip}".encode()).digest())
    sizes = apportion(len(shuffled), weights)
    subset = [name for name, size in sizes.items() for _ in range(size)]
    return pd.Series(subset, index=shuffled, dtype=object, name="subset").reindex(clip_ids)


def apportion(total: int, weights: Mapping[str, int]) -> dict[str, int]:
    """Share out a total in proportion to weights, by largest remainder; ties to the first."""
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
        track, album and artist, indexed by clip_id; a clip that is missing shares nothing.

    Returns
    -------
    leakage : (3, 2)
        level, share (0 to 1; NaN without test clips).
    """
    groups = groups.reindex(subset.index)
    train, test = groups[subset == "train"], groups[subset == "test"]
    shares = [test[level].isin(train[level].dropna()).mean() for level in LEVELS]
    return pd.DataFrame({"level": LEVELS, "share": shares})


def describe(subset: pd.Series) -> str:
    """Describe a random split in a few words: "random 19773/1521/4566"."""
    return "random " + "/".join(str((subset == name).sum()) for name in SUBSETS)
