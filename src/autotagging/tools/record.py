"""Record the results of Snakemake in DVC: the command `autotagging record`.

Snakemake detects finished results by file times and recorded parameters, DVC by contents.
"""

from pathlib import Path

from autotagging.common.errors import UserError
from autotagging.tools._engines import RESULTS, run

_SPECTROGRAMS = RESULTS / "extract_mel"


def record() -> None:
    """Record the results of a finished snakemake run in DVC's cache and dvc.lock.

    Without a model that reads spectrograms, there may be none; DVC's stage extract_mel is then left
    out.

    Raises
    ------
    UserError
        Snakemake has jobs left for the current params.yaml and code, a result is missing, or
        results/ has files that no rule makes.
    """
    outputs = _outputs()
    pending = [
        path for path, plan in outputs.items() if plan != "no update" or not Path(path).exists()
    ]
    if pending:
        raise UserError(
            f"{len(pending)} of {len(outputs)} results are missing or not up to date with "
            f"params.yaml and the code, {pending[0]} the first; run `snakemake --cores all`, then "
            "record"
        )
    extra = sorted(
        str(path) for path in RESULTS.rglob("*") if path.is_file() and str(path) not in outputs
    )
    if extra:
        raise UserError(f"no rule makes these files; delete them, then record: {', '.join(extra)}")
    stages = run("dvc", "stage", "list", "--name-only", capture=True).stdout.split()
    if not _SPECTROGRAMS.exists():
        _SPECTROGRAMS.mkdir()  # DVC requires what a stage depends on
        stages.remove("extract_mel")
    run("dvc", "commit", "--force", *stages)


def _outputs() -> dict[str, str]:
    """Get every output of the workflow, and whether Snakemake would make it again."""
    lines = run("snakemake", "--summary", capture=True).stdout.splitlines()
    header = next(i for i, line in enumerate(lines) if line.startswith("output_file"))
    columns = lines[header].split("\t")
    rows = [dict(zip(columns, line.split("\t"), strict=True)) for line in lines[header + 1 :]]
    return {row["output_file"]: row["plan"] for row in rows}
