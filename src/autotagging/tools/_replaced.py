"""Results in the place of those that their job wrote, which git or DVC has put there.

Snakemake sees that files are newer, but takes them for results of its job's parameters and code.
"""

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from autotagging.common.files import CHECKSUMS, replacing, sha256
from autotagging.tools._engines import RESULTS
from autotagging.tools._unrecorded import RECORDS, output_of

NOTES = Path(".snakemake/written")
_FIGURES = RESULTS / "figures"  # no other step reads them: they have no checksums
_TIMES = ("starttime", "endtime")  # of a job, in Snakemake's record
TOLERANCE = timedelta(minutes=1)  # of the clocks of two machines


def note_written(paths: Iterable[Path]) -> None:
    """Note the results among the files that a job has written; others are left out.

    Of a step with SHA256SUMS, this file stands for all. A note that can't be written is no error.
    """
    for path in filter(_is_noted, paths):
        note = NOTES / path
        with suppress(OSError):
            note.parent.mkdir(parents=True, exist_ok=True)
            with replacing(note) as temporary:
                text = f"{datetime.now(UTC).isoformat()} {sha256(path)}\n"
                temporary.write_text(text, encoding="utf-8")


def note_all(folders: Iterable[str]) -> None:
    """Note the results in some folders, which are those of the present parameters and code."""
    for folder in folders:
        note_written(Path(folder).rglob("*"))


def find_replaced() -> list[str]:
    """List the folders of results that are not as their job wrote them, sorted.

    A note counts if it is of the job that Snakemake has a record of. Another may have run where no
    note could be written, such as in a container.
    """
    found = set()
    for record in RECORDS.rglob("*"):
        path = Path(output_of(record))
        if _is_noted(path) and (noted := _noted(NOTES / path, record)) and noted != sha256(path):
            found.add(_FIGURES if path.is_relative_to(_FIGURES) else path.parent)
    return sorted(map(str, found))


def _is_noted(path: Path) -> bool:
    in_results = path.name == CHECKSUMS or path.is_relative_to(_FIGURES)
    return in_results and not path.is_absolute() and path.is_file()


def _noted(note: Path, record: Path) -> str | None:
    """Read the SHA-256 in a note; None if there is none of the job in Snakemake's record."""
    try:
        written, digest = note.read_text(encoding="utf-8").split()
        job = json.loads(record.read_text(encoding="utf-8"))
        started, ended = (datetime.fromtimestamp(job[name], UTC) for name in _TIMES)
        if started - TOLERANCE <= datetime.fromisoformat(written) <= ended + TOLERANCE:
            return digest
    except (OSError, ValueError, TypeError, KeyError, OverflowError, RecursionError):
        pass
    return None


def describe(found: list[str]) -> str:
    """Name the folders, and say what is wrong with them and what to type."""
    names = " ".join(found)
    return (
        f"{names}: not what Snakemake's job wrote there, but put there by git or DVC, maybe of "
        "other parameters or code; `autotagging restore` checks that, if dvc.lock is of these "
        f"results; otherwise `rm -r {names}`, and `snakemake --cores all` makes them again"
    )


def warning() -> str:
    """Give the line that Snakemake shows at its start; empty if there is nothing to say.

    A stage of DVC, which compares contents, needs none.
    """
    found = [] if "DVC_ROOT" in os.environ else find_replaced()
    return f"warning: {describe(found)}" if found else ""
