"""Groups of clips that share a track, an album or an artist (sec. II.A)."""

from pathlib import Path

import numpy as np
import pandas as pd

from autotagging.common.errors import UserError

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
        The file is not such a table.
    """
    types = {"clip_id": np.int64, **dict.fromkeys(LEVELS, str)}
    try:
        table = pd.read_csv(path, usecols=[*types], dtype=types, na_filter=False)
    except ValueError as error:
        raise UserError(f"{path}: not a table of groups ({error}); run download again") from error
    return table.set_index("clip_id")[[*LEVELS]]
