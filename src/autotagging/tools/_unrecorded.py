"""Results that Snakemake has no record of, so that it notices no change of parameters or code.

Its records are in .snakemake/, which some delete, or do not copy.
"""

import base64
import os
from pathlib import Path

from autotagging.common.counting import counted
from autotagging.tools._engines import RESULTS

RECORDS = Path(".snakemake/metadata")
_UNFINISHED = Path(".snakemake/incomplete")  # what was killed, and is made again
REMEDY = (
    "`autotagging restore` makes the records, if these are the results in dvc.lock; otherwise "
    "`snakemake --cores all --forceall` makes the results again (those of models that are not in "
    "params.yaml: delete them, or run with their --configfile)"
)


def find_unrecorded() -> list[str]:
    """List the results without a record, sorted; hidden and temporary files are none."""
    known = {output_of(path, top) for top in (RECORDS, _UNFINISHED) for path in top.rglob("*")}
    files = (
        path.as_posix() for path in RESULTS.rglob("*") if path.is_file() and path.name[0] != "."
    )
    return sorted(path for path in files if path not in known)


def output_of(record: Path, top: Path = RECORDS) -> str:
    """Decode the name of a record: the path of a result in base 64, long ones in folders."""
    parts = record.relative_to(top).parts
    encoded = "".join(part.removeprefix("@") for part in parts)
    try:
        return base64.urlsafe_b64decode(encoded).decode()
    except ValueError:
        return ""


def warning() -> str:
    """Give the line that Snakemake shows at its start; empty if there is nothing to say.

    A stage of DVC, which compares contents, needs none.
    """
    found = [] if "DVC_ROOT" in os.environ else find_unrecorded()
    if not found:
        return ""
    return (
        f"warning: Snakemake has no record of what made {describe(found)}: it notices no change of "
        f"their parameters or code. {REMEDY}"
    )


def describe(found: list[str]) -> str:
    """Count results and name the first."""
    count = counted(len(found), "result")
    return f"{count}, {found[0]}{' the first' if len(found) > 1 else ''}"
