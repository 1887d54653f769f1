"""Step split: divide the clips into training, validation and test set (sec. II.A)."""

import sys
from pathlib import Path
from typing import Annotated

import pandas as pd
from cyclopts import Parameter

from autotagging.common.counting import counted
from autotagging.common.errors import UserError
from autotagging.common.files import write_checksums, write_csv, write_json
from autotagging.common.versions import write_versions
from autotagging.dataset.groups import LEVELS, group_ids, read_groups
from autotagging.dataset.subsets import SUBSETS, read_clips, read_labels
from autotagging.labels import partition
from autotagging.labels.given_split import read_given_split

LIBRARIES = ("numpy", "pandas")


def split(
    *,
    labels: Path,
    clips: Path,
    groups: Path,
    settings: Annotated[partition.SplitSettings, Parameter(name="*")],
    split: Path,
    leakage: Path,
    split_settings: Path,
    versions: Path,
    checksums: Path,
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
        Output: level, share of test clips whose track, album or artist is also in training, and
        number of clips of which it is unknown.
    split_settings
        Output: scheme of the split and name of its file, for the descriptions of later results.
    versions
        Output: versions of the libraries that made the results.
    checksums
        Output: SHA-256 of the other files.
    """
    known = read_labels(labels)
    usable = _usable(known, read_clips(clips).set_index("clip_id")["bytes"], settings.untagged)
    names = read_groups(groups)
    _check_number(labels, len(usable), "usable clips")
    if settings.scheme == "file":
        if settings.file is None:
            raise UserError("split.scheme is file, but split.file is not set")
        subset = read_given_split(settings.file, usable=usable.index, known=known.index)
    elif settings.scheme in LEVELS:
        of_clip = _groups(groups, names, settings.scheme, usable.index)
        tags = usable.drop(columns="mp3_path")
        subset = partition.group_split(of_clip, tags, weights=settings.weights, seed=settings.seed)
    elif settings.scheme == "folder":
        subset = partition.folder_split(usable["mp3_path"])
    else:
        subset = partition.random_split(usable.index, weights=settings.weights, seed=settings.seed)
    _describe(subset, settings, labels)
    table = usable.loc[subset.index, ["mp3_path"]].assign(subset=subset)
    write_csv(table.reset_index(), split)
    leaking = partition.leakage(subset, names)
    _describe_unknown(leaking, len(subset), settings.scheme)
    write_csv(leaking, leakage)
    # The name tells folds of equal size apart; a path would differ between machines.
    file = f" {settings.file.name}" if settings.scheme == "file" else ""
    write_json({"scheme": f"{settings.scheme}{file}"}, split_settings)
    write_versions(versions, *LIBRARIES)
    write_checksums(checksums, [split, leakage, split_settings, versions])


def _check_number(path: Path, number: int, of: str) -> None:
    least = len(SUBSETS)
    if number < least:
        raise UserError(f"{path}: {number} {of}, too few to split: expected at least {least}")


def _groups(path: Path, names: pd.DataFrame, level: str, clip_ids: pd.Index) -> pd.Series:
    """Give each clip its group; raise UserError if all are unknown, or too few."""
    if names[level].reindex(clip_ids).isna().all():
        raise UserError(
            f"{path}: the {level} of every clip is unknown, so a split by {level} would be random; "
            "fill in clip_info_final.csv of the corpus, or choose another split.scheme"
        )
    ids = group_ids(names, level, clip_ids)
    _check_number(path, ids.nunique(), f"{level}s of {len(ids)} usable clips")
    return ids


def _describe(subset: pd.Series, settings: partition.SplitSettings, labels: Path) -> None:
    """Print the number of clips of each subset; raise UserError if one is empty."""
    scheme, weights = settings.scheme, settings.weights
    counts = {name: int((subset == name).sum()) for name in weights}
    print(f"{scheme} split: {counts}{_compared(counts, weights, scheme)}", file=sys.stderr)
    if empty := [name for name, count in counts.items() if not count]:
        source = settings.file if scheme == "file" else labels
        hint = "add some" if scheme == "file" else "choose another split.scheme"
        raise UserError(f"{source}: no {empty[0]} clips by the scheme {scheme}; {hint}")


def _describe_unknown(leaking: pd.DataFrame, clips: int, scheme: str) -> None:
    """Print how many clips have no known track, album or artist; warn where the split needs it."""
    for level, unknown in zip(leaking["level"], leaking["clips_without_group"], strict=True):
        if unknown:
            warning = "warning: " if level == scheme else ""
            print(
                f"{warning}{unknown} of {clips} clips have no known {level}: they share no {level} "
                "with other clips",
                file=sys.stderr,
            )


def _usable(known: pd.DataFrame, sizes: pd.Series, untagged: str) -> pd.DataFrame:
    """Leave out clips without audio and, if `untagged` is drop, clips without tags."""
    readable = sizes.reindex(known.index).fillna(0).to_numpy() > 0
    for clip, path in known["mp3_path"][~readable].items():
        print(f"left out, empty or missing: clip {clip}, {path}", file=sys.stderr)
    usable = known[readable]
    if untagged == "drop":
        tagged = usable.drop(columns="mp3_path").any(axis=1)
        print(f"left out, without any tag: {counted((~tagged).sum(), 'clip')}", file=sys.stderr)
        usable = usable[tagged]
    return usable


def _compared(counts: dict[str, int], weights: dict[str, int], scheme: str) -> str:
    if scheme in ("folder", "file"):
        return ""
    asked = "/".join(map(str, weights.values()))
    return ", as requested" if counts == weights else f", the closest to {asked} in proportion"
