"""Step split: divide the clips into training, validation and test set (sec. II.A)."""

import sys
from pathlib import Path

import pandas as pd

from autotagging.annotations import read_clip_info
from autotagging.errors import UserError
from autotagging.files import write_csv
from autotagging.partition import leakage as leakage_of
from autotagging.partition import random_split


def split(
    *,
    labels: Path,
    clips: Path,
    clip_info: Path,
    train: int,
    validation: int,
    test: int,
    seed: int,
    split: Path,
    leakage: Path,
) -> None:
    """Divide the clips into training, validation and test set.

    Parameters
    ----------
    labels
        Labels of merge_tags.
    clips
        clips.csv of download: a clip without bytes is unreadable and left out.
    clip_info
        clip_info_final.csv of the corpus.
    train, validation, test
        Clips of each subset; exact where they add up to the readable clips, else proportional.
    seed
        Of the shuffle.
    split
        Output: clip_id, mp3_path, subset.
    leakage
        Output: level, share of test clips whose track, album or artist is also in training.
    """
    known = pd.read_csv(labels, usecols=["clip_id", "mp3_path"])
    sizes = pd.read_csv(clips).set_index("clip_id")["bytes"]
    readable = known[sizes.reindex(known["clip_id"]).fillna(0).to_numpy() > 0]
    for clip in known[~known["clip_id"].isin(readable["clip_id"])].itertuples():
        print(f"left out, empty or missing: clip {clip.clip_id}, {clip.mp3_path}", file=sys.stderr)

    weights = {"train": train, "validation": validation, "test": test}
    subset = random_split(readable["clip_id"], weights=weights, seed=seed)
    counts = {name: int((subset == name).sum()) for name in weights}
    exact = "as asked" if counts == weights else f"in proportion to {train}/{validation}/{test}"
    print(f"{counts}, {exact}", file=sys.stderr)
    if not all(counts.values()):
        raise UserError(f"{labels}: {len(readable)} readable clips are too few to split: {counts}")

    groups = read_clip_info(clip_info).set_index("clip_id")
    write_csv(readable.assign(subset=subset.to_numpy()), split)
    write_csv(leakage_of(subset, groups), leakage)
