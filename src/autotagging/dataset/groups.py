"""Groups of clips that share a track, an album or an artist (sec. II.A)."""

from pathlib import Path

import numpy as np
import pandas as pd

from autotagging.common.tables import read_table

LEVELS = ("track", "album", "artist")
"""Kinds of groups, the smallest first."""
INTERVAL_UNIT = "artists"
"""Sampling unit of the intervals in figures and tables, because clips of an artist are alike."""
FEW_GROUPS = 10
"""Sampling units below which intervals are much too narrow; docs/evaluation.md has numbers."""


def read_groups(path: Path) -> pd.DataFrame:
    """Read groups.csv of download.

    Returns
    -------
    groups : (clips, 3)
        Names of each clip's track, album and artist, indexed by clip_id; missing (NaN) where the
        field is empty, which means unknown.

    Raises
    ------
    UserError
        The file is not such a table, or not as download wrote it.
    """
    types = {"clip_id": int, **dict.fromkeys(LEVELS, str)}
    names = read_table(path, types, key="clip_id")[[*LEVELS]]
    return names.where(names != "")


def group_ids(groups: pd.DataFrame, level: str, clip_ids: pd.Index) -> pd.Series:
    """Give each clip the id of its group; a clip whose group is unknown shares it with no other.

    Clips of one track have one artist: a clip of an unknown artist is of that of the other clips of
    its track, and stays with them if it is known of none.

    Parameters
    ----------
    groups : (clips, 3)
        track, album and artist, indexed by clip_id, NaN where unknown; clips may be missing.
    level
        Kind of group: track, album or artist.
    clip_ids
        Clips that get an id.

    Returns
    -------
    ids : (clips,) of str
        Indexed by clip_id; the name of the group where it is known.
    """
    names = groups.reindex(clip_ids)
    known = names[level]
    # No name contains a TAB, so that these are no names.
    ids = pd.Series([f"\t{clip}" for clip in clip_ids], index=clip_ids)
    for smaller in LEVELS[: LEVELS.index(level)]:
        known = known.fillna(known.groupby(names[smaller]).transform("first"))
        ids = (f"\t{smaller}\t" + names[smaller]).fillna(ids)
    return known.fillna(ids)


def group_numbers(groups: pd.DataFrame, level: str, clip_ids: pd.Index) -> np.ndarray:
    """Give each clip the number of its group, int64, the same for every model; see `group_ids`."""
    every = groups.index.union(clip_ids, sort=False)
    numbers = pd.Series(pd.factorize(group_ids(groups, level, every))[0], index=every)
    return numbers.loc[clip_ids].to_numpy(np.int64)
