"""Groups of clips that share a track, an album or an artist (sec. II.A)."""

from pathlib import Path

import pandas as pd

from autotagging.common.tables import read_table

LEVELS = ("track", "album", "artist")
"""Kinds of groups, the smallest first."""


def read_groups(path: Path) -> pd.DataFrame:
    """Read groups.csv of download.

    Returns
    -------
    groups : (clips, 3)
        Names of each clip's track, album and artist, indexed by clip_id.

    Raises
    ------
    UserError
        The file is not such a table, or not as download wrote it.
    """
    types = {"clip_id": int, **dict.fromkeys(LEVELS, str)}
    return read_table(path, types, key="clip_id")[[*LEVELS]]
