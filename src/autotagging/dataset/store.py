"""Stored spectrograms: shards of float16 arrays, and a table that lists them (sec. II.B)."""

import math
import os
import resource
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from autotagging.common.errors import UserError
from autotagging.common.files import NOT_ARRAYS, read_json, sha256
from autotagging.common.tables import read_table

FRONT_END = dict.fromkeys(("sample_rate", "n_fft", "hop_length", "n_mels", "frames"), int)
FRONT_END |= {"seconds": int | float, "log_scale": str}
"""Types of the entries of front_end.json."""

USABLE = ("ok", "padded", "cropped", "partly_decoded")
"""Statuses of the clips that have a spectrogram."""

_OTHER_FILES = 512  # as many as libraries may still open


class MelStore:
    """The spectrograms of a corpus, read clip by clip: the data set need not fit in memory.

    Damaged files are detected: the tables of the shards are checked when they are opened, each
    spectrogram when it is first read.

    Parameters
    ----------
    summary
        Path of summary.csv from extract_mel; the shards are next to it.
    cache
        GB of spectrograms to keep in memory: those that are read first.

    Attributes
    ----------
    clip_shape
        Shape of a spectrogram: (mel bins, frames).

    Raises
    ------
    UserError
        A shard is missing or damaged, or the system allows fewer open files than there are shards.
    """

    def __init__(self, summary: Path | str, *, cache: float = 0.0):
        summary = Path(summary)
        listed = _read_summary(summary)
        _allow_open_files(len(listed))
        self._paths = [summary.with_name(f"{name}.npy") for name in listed["shard"]]
        self._shards = [Shard(path) for path in self._paths]
        tables = [
            _read_gathered(path.with_suffix(".csv"), checksum, rows=shard.shape[0])
            for path, shard, checksum in zip(
                self._paths, self._shards, listed["table_sha256"], strict=True
            )
        ]
        index = pd.concat(tables, keys=range(len(tables)), names=["shard"]).reset_index("shard")
        usable = index[index["status"].isin(USABLE)]
        self._index = usable.set_index("clip_id")[["shard", "row", "crc32"]]
        self._checked = np.zeros(len(usable), bool)
        self.clip_shape: tuple[int, int] = self._shards[0].shape[1:]
        self._kept: dict[int, np.ndarray] = {}
        self._room = int(cache * 1e9 / (2 * math.prod(self.clip_shape)))  # float16: 2 bytes

    @property
    def clip_ids(self) -> pd.Index:
        """Clips that have a spectrogram."""
        return self._index.index

    def gather(self, clip_ids: Sequence[int]) -> np.ndarray:
        """Read the spectrograms of clips: float16, (clips, mel bins, frames), on their log scale.

        Several threads may call this at a time.

        Raises
        ------
        UserError
            A spectrogram differs from what was written.
        """
        places = self._index.index.get_indexer(clip_ids)
        if (places < 0).any():
            raise KeyError(f"no spectrogram of clip {np.asarray(clip_ids)[places < 0][0]}")
        batch = np.empty((len(places), *self.clip_shape), np.float16)
        rows = self._index.iloc[places].itertuples(index=False)
        for spectrogram, place, (shard, row, crc32) in zip(batch, places, rows, strict=True):
            if (kept := self._kept.get(place)) is not None:
                spectrogram[:] = kept
                continue
            self._shards[shard].read_into(spectrogram, row)
            if not self._checked[place]:
                if zlib.crc32(spectrogram) != crc32:
                    raise UserError(
                        f"{self._paths[shard]}: the spectrogram of clip "
                        f"{self._index.index[place]} is damaged; delete the file and run again"
                    )
                self._checked[place] = True
            if len(self._kept) < self._room:
                self._kept[place] = spectrogram.copy()
        return batch


def read_front_end(path: Path) -> dict[str, Any]:
    """Read front_end.json of extract_mel; raise UserError if it is damaged."""
    return read_json(path, **FRONT_END)


def _allow_open_files(shards: int) -> None:
    """Raise this process's limit on open files, if the shards need more than it allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = len(os.listdir("/dev/fd")) + shards + _OTHER_FILES
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise UserError(
            f"{shards:,} shards of spectrograms and the libraries take {needed:,} open files, but "
            f"the system allows {hard:,}; raise `ulimit -Hn`, or lower extract_mel.shards"
        )
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def _read_summary(path: Path) -> pd.DataFrame:
    table = read_table(path, {"shard": str, "table_sha256": str}, key="shard").reset_index()
    if table.empty:
        raise UserError(f"{path}: a list without shards; delete it and run again")
    return table


class Shard:
    """An open .npy file of spectrograms.

    Spectrograms are read, not memory-mapped: the pages of a mapped file count as memory of the
    process, which would grow to the size of the data set.

    Attributes
    ----------
    shape
        Shape of the array: (clips, mel bins, frames).

    Raises
    ------
    UserError
        The file is not a whole .npy file of float16.
    """

    def __init__(self, path: Path):
        self._path = path
        try:
            array = np.load(path, mmap_mode="r", allow_pickle=False)
            if array.dtype != np.float16 or not array.flags.c_contiguous:
                raise ValueError(f"{array.dtype}, expected float16 row by row")
            self._file = path.open("rb")
        except NOT_ARRAYS as error:
            raise UserError(
                f"{path}: not a readable shard ({error}); delete it and run again"
            ) from error
        self.shape, self._offset = array.shape, array.offset

    def read_into(self, spectrogram: np.ndarray, row: int) -> None:
        """Read the spectrogram of a row into an array: float16, (mel bins, frames); thread-safe."""
        place = self._offset + row * spectrogram.nbytes
        if os.preadv(self._file.fileno(), [spectrogram], place) < spectrogram.nbytes:
            raise UserError(f"{self._path}: shorter than when it was opened; run again")


def _read_gathered(path: Path, checksum: str, *, rows: int) -> pd.DataFrame:
    """Read the table of a shard, which must not have changed since the shards were gathered."""
    if sha256(path) != checksum:
        raise UserError(f"{path}: changed since the shards were gathered; run again")
    return read_shard_table(path, rows=rows)


def read_shard_table(path: Path, *, rows: int) -> pd.DataFrame:
    """Read the table of a shard: clip_id, row, status, and CRC-32 of the row.

    Parameters
    ----------
    path
        Path of the table, shard-NN.csv.
    rows
        Number of rows of the shard's array.

    Raises
    ------
    UserError
        The table is damaged, or its rows are not those of the array.
    """
    table = read_table(path, {"clip_id": int, "row": int, "status": str, "crc32": int})
    if table["row"].tolist() != list(range(rows)):
        raise UserError(
            f"{path}: {len(table)} rows, but {rows} in the .npy; delete both and run again"
        )
    return table
