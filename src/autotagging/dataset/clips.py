"""The clips of a corpus, as the step download lists them (sec. II.A)."""

from pathlib import Path

import pandas as pd

from autotagging.common.tables import read_table


def read_clips(path: Path) -> pd.DataFrame:
    """Read clips.csv of download: clip_id, mp3_path, and bytes, which is empty without a file.

    Raises
    ------
    UserError
        The file is not such a table, or not as download wrote it.
    """
    return read_table(path, {"clip_id": int, "mp3_path": str, "bytes": "Int64"})
