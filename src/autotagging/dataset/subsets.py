"""Clips, labels and subsets: training, validation, test (sec. II.A)."""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from autotagging.common.counting import counted
from autotagging.common.errors import UserError
from autotagging.common.tables import read_table

SUBSETS = ("train", "validation", "test")


def describe(scheme: str, subset: pd.Series) -> str:
    """Describe a split in a few words: "random 19773/1521/4566", "file mine.csv 8/1/3"."""
    return f"{scheme} " + "/".join(str((subset == name).sum()) for name in SUBSETS)


def read_clips(path: Path) -> pd.DataFrame:
    """Read clips.csv of download: clip_id, mp3_path, and numbers that a clip without file lacks."""
    types = {"clip_id": int, "mp3_path": str, "bytes": "Int64"}
    return read_table(path, types, others="Int64", key="clip_id").reset_index()


def read_labels(path: Path) -> pd.DataFrame:
    """Read labels.csv of merge_tags: mp3_path, then 0 and 1 (uint8) per tag, by clip_id."""
    types = {"clip_id": int, "mp3_path": str}
    labels = read_table(path, types, others=np.uint8, key="clip_id")
    if (labels.drop(columns="mp3_path") > 1).any(axis=None):
        raise UserError(f"{path}: a label is neither 0 nor 1; delete it and run again")
    return labels


def read_split(path: Path) -> pd.Series:
    """Read the subset of each clip from split.csv of split, by clip_id."""
    subset = read_table(path, {"clip_id": int, "subset": str}, key="clip_id")["subset"]
    if not subset.isin(SUBSETS).all():
        raise UserError(f"{path}: a subset is none of {SUBSETS}; delete it and run again")
    return subset


def labelled_clips(
    labels: Path,
    split: Path,
    *,
    subsets: Sequence[str],
    available: pd.Index | None = None,
) -> dict[str, pd.DataFrame]:
    """Read the labels of the clips of the given subsets, and of no other subset.

    Parameters
    ----------
    labels, split
        Paths of labels.csv from merge_tags and split.csv from split.
    subsets
        Subsets to read: train, validation, test.
    available
        Clips that have a spectrogram; others are left out. None: all clips have one.

    Returns
    -------
    labelled
        Labels by subset: 0 and 1, (clips, tags), indexed by clip_id, in the order of `split`.

    Raises
    ------
    UserError
        A table is damaged, a clip of `split` has no labels, or a given subset has no clip left.
    """
    table = read_labels(labels).drop(columns="mp3_path")
    subset = read_split(split)
    if len(unlabelled := subset.index.difference(table.index)):
        raise UserError(f"{split}: clip {unlabelled[0]} is not in {labels}; run split again")
    usable = subset if available is None else subset[subset.index.isin(available)]
    if len(usable) < len(subset):
        count = counted(len(subset) - len(usable), "clip")
        print(f"left out, without a spectrogram: {count}", file=sys.stderr)
    labelled = {name: table.loc[usable.index[usable == name]] for name in subsets}
    for name, clips in labelled.items():
        if clips.empty:
            raise UserError(f"{split}: no {name} clip has a spectrogram")
    return labelled
