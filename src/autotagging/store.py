"""Log-mel spectrograms on disk: shards of float16 arrays, and a table that lists them."""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from autotagging.errors import UserError
from autotagging.partition import SUBSETS

USABLE = ("ok", "padded", "cropped")
"""Statuses of the clips that have a spectrogram."""


class MelStore:
    """The spectrograms of a corpus, read by memory map: the data set need not fit in memory.

    Parameters
    ----------
    summary
        results/extract_mel/summary.csv; the shards lie beside it.

    Attributes
    ----------
    clip_shape
        (mel bins, frames).
    """

    def __init__(self, summary: Path):
        names = pd.read_csv(summary)["shard"]
        self._shards = [_open_shard(summary.with_name(f"{name}.npy")) for name in names]
        tables = [pd.read_csv(summary.with_name(f"{name}.csv")) for name in names]
        for name, shard, table in zip(names, self._shards, tables, strict=True):
            if len(table) != len(shard):
                raise UserError(
                    f"{summary.with_name(name)}: {len(table)} rows in .csv, {len(shard)} in .npy; "
                    "delete both and run again"
                )
        index = pd.concat(tables, keys=range(len(tables)), names=["shard"]).reset_index("shard")
        usable = index[index["status"].isin(USABLE)]
        self._index = usable.set_index("clip_id")[["shard", "row"]]
        self.clip_shape: tuple[int, int] = self._shards[0].shape[1:]

    @property
    def clip_ids(self) -> pd.Index:
        """Clips that have a spectrogram."""
        return self._index.index

    def gather(self, clip_ids: Sequence[int]) -> np.ndarray:
        """Spectrograms of some clips: float16, (clips, mel bins, frames), in dB."""
        places = self._index.loc[clip_ids].itertuples(index=False)
        return np.stack([self._shards[shard][row] for shard, row in places])


def _open_shard(path: Path) -> np.ndarray:
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: not a readable shard ({error}); delete it, run again") from error


def labelled_clips(
    labels: Path, split: Path, *, available: pd.Index | None = None
) -> dict[str, pd.DataFrame]:
    """Read the labels of each subset's clips.

    Parameters
    ----------
    labels, split
        Of merge_tags and split.
    available
        Clips that have a spectrogram; others are left out. None: all are there.

    Returns
    -------
    subsets
        By name of subset: 0 and 1, (clips, tags), indexed by clip_id, in the order of `split`.

    Raises
    ------
    UserError
        A subset has no clip left.
    """
    table = pd.read_csv(labels).drop(columns="mp3_path").set_index("clip_id")
    subset = pd.read_csv(split).set_index("clip_id")["subset"]
    usable = subset if available is None else subset[subset.index.isin(available)]
    if len(usable) < len(subset):
        print(f"{len(subset) - len(usable)} clips have no spectrogram: left out", file=sys.stderr)
    subsets = {name: table.loc[usable.index[usable == name]] for name in SUBSETS}
    for name, clips in subsets.items():
        if clips.empty:
            raise UserError(f"{split}: no {name} clip has a spectrogram")
    return subsets
