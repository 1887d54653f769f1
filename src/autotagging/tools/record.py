"""Results that Snakemake made, to DVC: the command `autotagging record`.

Snakemake takes a result as finished by file times, DVC by contents.
"""

from pathlib import Path

from autotagging.common.errors import UserError
from autotagging.tools._engines import RESULTS, run


def record() -> None:
    """Let DVC record the results of a finished snakemake run in its cache and dvc.lock.

    Raises
    ------
    UserError
        Snakemake has work left to do for params.yaml and the code as they are, a result is
        missing, or results/ holds files that no rule makes.
    """
    outputs = _outputs()
    pending = [
        path for path, plan in outputs.items() if plan != "no update" or not Path(path).exists()
    ]
    if pending:
        raise UserError(
            f"{len(pending)} of {len(outputs)} results are missing or not what params.yaml and the "
            f"code ask for, {pending[0]} the first; run `snakemake --cores all`, then record"
        )
    extra = sorted(
        str(path) for path in RESULTS.rglob("*") if path.is_file() and str(path) not in outputs
    )
    if extra:
        raise UserError(f"no rule makes these files, delete them and record: {', '.join(extra)}")
    run("dvc", "commit", "--force")


def _outputs() -> dict[str, str]:
    """Ask Snakemake for every output of the workflow, and whether it would make it again."""
    lines = run("snakemake", "--summary", capture=True).stdout.splitlines()
    header = next(i for i, line in enumerate(lines) if line.startswith("output_file"))
    columns = lines[header].split("\t")
    rows = [dict(zip(columns, line.split("\t"), strict=True)) for line in lines[header + 1 :]]
    return {row["output_file"]: row["plan"] for row in rows}
