"""The clips of a corpus, as the step download lists them (sec. II.A)."""

from pathlib import Path

import pandas as pd

from autotagging.common.tables import read_table


def read_clips(path: Path) -> pd.DataFrame:
    """Read clips.csv of download: clip_id, mp3_path, and bytes, which lack without a file.

    Raises
    ------
    UserError
        The file is not such a table, or not as download wrote it.
    """
    types = {"clip_id": int, "mp3_path": str, "bytes": "Int64"}
    return read_table(path, types, key="clip_id").reset_index()
