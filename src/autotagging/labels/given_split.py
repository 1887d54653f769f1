"""A split that a person made: the table that params.yaml names as split.file (sec. II.A)."""

import sys
from pathlib import Path

import pandas as pd

from autotagging.common.counting import counted
from autotagging.common.errors import UserError
from autotagging.corpus.delimited import read_delimited
from autotagging.dataset.subsets import SUBSETS


def read_given_split(path: Path, *, usable: pd.Index, known: pd.Index) -> pd.Series:
    """Read a split of the usable clips; clips that are not usable are left out, and counted.

    Parameters
    ----------
    path
        Path of the table: columns clip_id and subset, in any order among others, separated by
        comma, TAB or semicolon.
    usable
        Ids of the clips that can be split.
    known
        Ids of all annotated clips.

    Returns
    -------
    subset : (clips,)
        Indexed by clip_id, in the order of the file.

    Raises
    ------
    UserError
        The file is not such a table, an id is not a whole number or appears twice, a subset is none
        of the three, or no clip is usable.
    """
    names = ("clip_id", "subset")
    table = read_delimited(path, required=names, separators=(",", "\t", ";"), by_hand=True)
    # Programs that read a column with gaps write 12 as 12.0.
    ids = table["clip_id"].str.replace(r"\.0+$", "", regex=True)
    whole = ids.str.fullmatch("[0-9]{1,18}")
    good = table["subset"].isin(SUBSETS)
    if not (whole & good).all():
        line = int((whole & good).to_numpy().argmin())
        name = "subset" if whole[line] else "clip_id"
        expected = f"one of {', '.join(SUBSETS)}" if whole[line] else "a whole number"
        raise UserError(
            f"{path}, line {line + 2}: {name} is {table[name][line]!r}; expected {expected}"
        )
    ids = ids.astype("int64")
    if (repeated := ids.duplicated()).any():
        line = int(repeated.to_numpy().argmax())
        first = int((ids == ids[line]).to_numpy().argmax())
        raise UserError(
            f"{path}, line {line + 2}: clip_id {ids[line]} appears twice, first in line {first + 2}"
        )
    _describe(path, ids, usable, known)
    subset = table["subset"].set_axis(pd.Index(ids, name="clip_id"))
    return subset[ids.isin(usable).to_numpy()]


def _describe(path: Path, ids: pd.Series, usable: pd.Index, known: pd.Index) -> None:
    """Print how many clips are only in the file, are unusable, or are not in the file."""
    foreign = ids[~ids.isin(known)]
    unusable = (ids.isin(known) & ~ids.isin(usable)).sum()
    missing = (~usable.isin(ids)).sum()
    if len(foreign):
        print(
            f"{path}: {len(foreign)} of {len(ids)} clips are not in the corpus, the first is "
            f"{foreign.iloc[0]} in line {foreign.index[0] + 2}: left out",
            file=sys.stderr,
        )
    if unusable:
        print(f"{path}: left out, not usable here: {counted(unusable, 'clip')}", file=sys.stderr)
    if missing:
        print(
            f"{path}: left out, not in the file: {counted(missing, 'usable clip')}", file=sys.stderr
        )
    if not ids.isin(usable).any():
        raise UserError(f"{path}: none of its clips is usable; expected ids of this corpus")
