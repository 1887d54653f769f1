"""The audio-blind baseline: a clip gets the tags of the training clips of its track, album, artist.

Its metrics show how much a split leaks (sec. II.A).
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

READS = "tables"
_LEVELS = ("artist", "album", "track")  # the widest first


def fit_lookup(labels: pd.DataFrame, groups: pd.DataFrame) -> dict[str, np.ndarray]:
    """Count the tags of each track, album and artist in training.

    Parameters
    ----------
    labels : (clips, tags)
        0 and 1 of the training clips, indexed by clip_id.
    groups : (clips, 3)
        track, album and artist, indexed by clip_id, NaN where unknown; clips may be missing.

    Returns
    -------
    counts
        prior (tags,): share of clips with the tag; of a tag that none or all clips have, with half
        a clip of each kind added. For each level <level>/names (groups,), <level>/clips (groups,)
        and <level>/positives (groups, tags).
    """
    clips, positives = len(labels), labels.sum()
    # A prior of 0 or 1 would make the loss of one mistake very large.
    smoothed = (positives + 0.5) / (clips + 1)
    arrays = {"prior": labels.mean().where(positives.between(1, clips - 1), smoothed).to_numpy()}
    known = groups.reindex(labels.index)
    for level in _LEVELS:
        by_group = labels.groupby(known[level])
        positives = by_group.sum()
        arrays[f"{level}/names"] = positives.index.to_numpy(str)
        arrays[f"{level}/clips"] = by_group.size().to_numpy(np.int64)
        arrays[f"{level}/positives"] = positives.to_numpy(np.int64)
    return arrays


def fits_lookup(arrays: Mapping[str, np.ndarray], *, n_tags: int) -> bool:
    """Tell whether arrays have the names, types and shapes that `fit_lookup` gives for n_tags."""
    expected = {"prior": ("f", (n_tags,))}
    for level in _LEVELS:
        groups = np.size(arrays.get(f"{level}/names", ()))
        expected[f"{level}/names"] = ("U", (groups,))
        expected[f"{level}/clips"] = ("i", (groups,))
        expected[f"{level}/positives"] = ("i", (groups, n_tags))
    return {name: (array.dtype.kind, array.shape) for name, array in arrays.items()} == expected


def score_lookup(
    arrays: Mapping[str, np.ndarray], groups: pd.DataFrame, *, pseudo_count: float
) -> np.ndarray:
    """Score clips by the tag counts of their track, album and artist in training.

    The score of a tag is p(track), where for each level, from the artist to the track,

        p(level) = (positives + pseudo_count * p(wider level)) / (clips + pseudo_count)

    over the training clips of the clip's group; the level wider than the artist is the prior. A
    group without training clips leaves the wider level's score as it is.

    Parameters
    ----------
    arrays
        Counts from `fit_lookup`.
    groups : (clips, 3)
        track, album and artist of the clips to score, NaN where unknown.
    pseudo_count
        Weight of the wider level, as a number of clips; above 0.

    Returns
    -------
    scores : float32, (clips, tags)
    """
    scores = np.tile(arrays["prior"], (len(groups), 1))
    for level in _LEVELS:
        if not len(arrays[f"{level}/names"]):
            continue
        places = pd.Index(arrays[f"{level}/names"]).get_indexer(groups[level])
        known = (places >= 0)[:, None]
        clips = np.where(known, arrays[f"{level}/clips"][places][:, None], 0)
        positives = np.where(known, arrays[f"{level}/positives"][places], 0)
        scores = (positives + pseudo_count * scores) / (clips + pseudo_count)
    return scores.astype(np.float32)
