"""Step split: divide the clips into training, validation and test set (sec. II.A)."""

import sys
from pathlib import Path
from typing import Annotated

import pandas as pd
from cyclopts import Parameter

from autotagging.common.errors import UserError
from autotagging.common.files import write_csv, write_json
from autotagging.dataset.groups import read_groups
from autotagging.dataset.subsets import SUBSETS, read_labels
from autotagging.labels import partition


def split(
    *,
    labels: Path,
    clips: Path,
    groups: Path,
    settings: Annotated[partition.SplitSettings, Parameter(name="*")],
    split: Path,
    leakage: Path,
    split_settings: Path,
) -> None:
    """Divide the clips into training, validation and test set.

    Parameters
    ----------
    labels
        labels.csv of merge_tags: each clip's tags.
    clips
        clips.csv of download; clips without bytes are unreadable and left out.
    groups
        groups.csv of download: each clip's track, album and artist.
    split
        Output: clip_id, mp3_path, subset.
    leakage
        Output: level, and share of test clips whose track, album or artist is also in training.
    split_settings
        Output: scheme of the split, for the descriptions of later results.
    """
    scheme, weights = settings.scheme, settings.weights
    known = read_labels(labels)
    usable = _usable(known, pd.read_csv(clips).set_index("clip_id")["bytes"], settings.untagged)
    names = read_groups(groups)
    tags = usable.drop(columns="mp3_path")
    if scheme == "random":
        subset = partition.random_split(usable.index, weights=weights, seed=settings.seed)
    elif scheme == "folder":
        subset = partition.folder_split(usable["mp3_path"])
    elif scheme == "file":
        subset = _read_split(settings.file, usable.index)
    else:
        # A clip without a known group is a group of its own.
        of_clip = names[scheme].reindex(usable.index).fillna(usable["mp3_path"])
        subset = partition.group_split(of_clip, tags, weights=weights, seed=settings.seed)

    counts = {name: int((subset == name).sum()) for name in weights}
    print(f"{scheme} split: {counts}{_compared(counts, weights, scheme)}", file=sys.stderr)
    if not all(counts.values()):
        raise UserError(f"{labels}: {len(usable)} clips, too few to split by {scheme}: {counts}")
    table = usable.loc[subset.index, ["mp3_path"]].assign(subset=subset)
    write_csv(table.reset_index(), split)
    write_csv(partition.leakage(subset, names), leakage)
    write_json({"scheme": scheme}, split_settings)


def _usable(known: pd.DataFrame, sizes: pd.Series, untagged: str) -> pd.DataFrame:
    """Leave out clips without audio and, if `untagged` is drop, clips without tags."""
    readable = sizes.reindex(known.index).fillna(0).to_numpy() > 0
    for clip in known[~readable].itertuples():
        print(f"left out, empty or missing: clip {clip.Index}, {clip.mp3_path}", file=sys.stderr)
    usable = known[readable]
    if untagged == "drop":
        tagged = usable.drop(columns="mp3_path").any(axis=1)
        print(f"left out, without any tag: {(~tagged).sum()} clips", file=sys.stderr)
        usable = usable[tagged]
    return usable


def _compared(counts: dict[str, int], weights: dict[str, int], scheme: str) -> str:
    if scheme in ("folder", "file"):
        return ""
    asked = "/".join(map(str, weights.values()))
    return ", as requested" if counts == weights else f", the closest to {asked} in proportion"


def _read_split(path: Path | None, clip_ids: pd.Index) -> pd.Series:
    """Read the user's split of the usable clips."""
    if path is None:
        raise UserError("split.scheme is file, but split.file is not set")
    table = pd.read_csv(path)
    if missing := {"clip_id", "subset"} - set(table.columns):
        raise UserError(f"{path}: no column {min(missing)!r}; expected clip_id and subset")
    if (wrong := ~table["subset"].isin(SUBSETS)).any():
        line = int(wrong.to_numpy().argmax()) + 2
        raise UserError(
            f"{path}, line {line}: subset is {table['subset'][wrong].iloc[0]!r}, "
            f"expected {', '.join(SUBSETS)}"
        )
    if (repeated := table["clip_id"].duplicated()).any():
        raise UserError(f"{path}: clip {table['clip_id'][repeated].iloc[0]} appears twice")
    subset = table.set_index("clip_id")["subset"]
    unknown = subset.index.difference(clip_ids)
    if len(unknown):
        print(f"{path}: {len(unknown)} clips are not usable here: left out", file=sys.stderr)
    return subset[subset.index.isin(clip_ids)]
