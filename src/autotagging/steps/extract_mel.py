"""Step extract_mel, last part: gather the shards of spectrograms (sec. II.B, Table 1)."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import pandas as pd
from cyclopts import Parameter

from autotagging.common.errors import UserError
from autotagging.common.files import sha256, write_checksums, write_csv, write_json
from autotagging.common.versions import join_versions
from autotagging.dataset.store import USABLE, Shard, read_shard_table
from autotagging.mel import spectrogram
from autotagging.mel.front_end import STATUSES, MelSettings

_SHOWN = 10


def extract_mel(
    *,
    shards: list[Path],
    settings: Annotated[MelSettings, Parameter(name="*")],
    max_bad: float,
    summary: Path,
    front_end: Path,
    versions: Path,
    checksums: Path,
) -> None:
    """Gather the shards of spectrograms in a table.

    Parameters
    ----------
    shards
        Tables of the shards, in order; the arrays and the versions are next to them.
    max_bad
        Largest allowed share of bad clips, 0 to 1.
    summary
        Output: shard, clips, number of clips of each status, SHA-256 of the shard's table.
    front_end
        Output: settings of the front end, which models store.
    versions
        Output: versions of the libraries that made the shards.
    checksums
        Output: SHA-256 of the other files; the arrays have checksums by row.

    Raises
    ------
    UserError
        The table of a shard is damaged, or more than `max_bad` of the clips are bad.
    """
    tables = pd.concat({path.stem: _read_shard(path) for path in shards}, names=["shard"])
    counts = pd.crosstab(tables.index.get_level_values("shard"), tables["status"].to_numpy())
    counts = counts.reindex(
        index=[path.stem for path in shards], columns=list(STATUSES), fill_value=0
    )
    totals = counts.sum()
    print(f"{len(tables)} clips: {totals[totals > 0].to_dict()}", file=sys.stderr)
    bad = tables[~tables["status"].isin(USABLE)]
    if len(bad) > max_bad * len(tables):
        raise UserError(
            f"{len(bad)} of {len(tables)} clips are bad, more than max_bad = {max_bad:g}: "
            f"{_first(bad)}; {shards[0].parent}/shard-*.csv have the status of each clip; repair "
            "the bad ones, or raise extract_mel.max_bad"
        )
    counts.insert(0, "clips", counts.sum(axis=1))
    counts["table_sha256"] = [sha256(path) for path in shards]
    write_csv(counts.rename_axis("shard").reset_index(), summary)
    write_json(spectrogram.describe_front_end(**asdict(settings)), front_end)
    of_shards = [path.with_suffix(".json") for path in shards]
    join_versions(of_shards, versions)
    write_checksums(checksums, [summary, front_end, versions, *of_shards])


def _first(bad: pd.DataFrame) -> str:
    """Name the first bad clips, with their statuses."""
    shown = [f"clip {clip.clip_id} ({clip.status})" for clip in bad.head(_SHOWN).itertuples()]
    more = len(bad) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _read_shard(path: Path) -> pd.DataFrame:
    table = read_shard_table(path, rows=Shard(path.with_suffix(".npy")).shape[0])
    if unknown := {*table["status"]}.difference(STATUSES):
        raise UserError(f"{path}: status {min(unknown)!r} is not known; delete it and run again")
    return table
