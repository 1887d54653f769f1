"""Record the results of Snakemake in DVC: the command `autotagging record`.

Snakemake detects finished results by file times and recorded parameters, DVC by contents.
"""

import sys
from pathlib import Path
from typing import NamedTuple

import yaml

from autotagging.common.errors import UserError
from autotagging.common.files import CHECKSUMS, check_written, read_checksums, replacing
from autotagging.tools import _outdated, _replaced, _unrecorded
from autotagging.tools._cache import cache_folder
from autotagging.tools._edits import edited_since, times_of_edits
from autotagging.tools._engines import RESULTS, run
from autotagging.tools._lock import LOCK, changed_sources, read_lock

SPECTROGRAMS = "extract_mel"


def record(*, other_versions: bool = False) -> None:
    """Record the results of a finished snakemake run in DVC's cache and dvc.lock.

    Without a model that reads spectrograms, there may be none; DVC's stage extract_mel is then left
    out.

    Parameters
    ----------
    other_versions
        Whether to record results that other versions of libraries made than those installed.

    Raises
    ------
    UserError
        Snakemake has jobs left for the current params.yaml and code, a result is missing or not as
        its step wrote it, git or DVC has put it there, other versions made it, results/ has files
        that no rule makes, or params.yaml or the code was edited meanwhile.
    """
    if LOCK.exists():
        read_lock()
    lock = LOCK.read_bytes() if LOCK.exists() else None
    edits = times_of_edits()
    outputs = finished_outputs(then="record")
    if extra := _extra(set(outputs)):
        raise UserError(
            "no rule makes these files for the models of params.yaml; delete them, or name their "
            f"models there, then record: {', '.join(extra)}"
        )
    for checksums in sorted(RESULTS.rglob(CHECKSUMS)):
        for name in read_checksums(checksums):
            check_written(checksums.with_name(name))
    if others := _replaced.find_replaced():
        raise UserError(f"{_replaced.describe(others)}; then record")
    if not other_versions and (found := _outdated.find_outdated()):
        raise UserError(
            f"{_outdated.describe(found)}; `{_outdated.remedy(found)}` makes them again, "
            "`autotagging record --other-versions` records them as they are"
        )
    stages = run("dvc", "stage", "list", "--name-only", capture=True).stdout.split()
    if not (RESULTS / SPECTROGRAMS).exists():
        (RESULTS / SPECTROGRAMS).mkdir()  # DVC requires what a stage depends on
        stages.remove(SPECTROGRAMS)
        _forget(SPECTROGRAMS)
    runs = cache_folder().parents[1] / "runs"  # of which stage with which inputs gave what
    known_runs = {*runs.rglob("*")}
    run("dvc", "commit", "--force", *stages)
    edited = edited_since(edits, ["--cores", "1"])
    if not edited and times_of_edits() != edits:  # what was edited and put back, DVC may have read
        edited = ", ".join(changed_sources(read_lock()))
    if edited:
        _put_back(lock)
        _remove_new(runs, known_runs)
        raise UserError(
            f"{edited}: edited meanwhile, and results/ is of the content before; nothing is "
            "recorded. Run `snakemake --cores all`, then record"
        )
    print("results/ is recorded in DVC's cache and dvc.lock; commit dvc.lock", file=sys.stderr)


def finished_outputs(*, then: str) -> list[str]:
    """List every output of the workflow, all of which are there and up to date.

    Parameters
    ----------
    then
        What to do after the remedy, for the message.

    Raises
    ------
    UserError
        An output is missing, Snakemake would make it again, or does not know what made it.
    """
    outputs = _outputs()
    if missing := [path for path in outputs if not Path(path).exists()]:
        # Where nothing else has changed, what was made of it needs not be made again.
        changed = any(each.status != "ok" for path, each in outputs.items() if path not in missing)
        target = "" if changed else f" -- {missing[0]}"
        raise UserError(
            f"{len(missing)} of {len(outputs)} results are missing, {missing[0]} the first; run "
            f"`snakemake --cores all{target}`, then {then}"
        )
    if pending := [path for path, each in outputs.items() if each.plan != "no update"]:
        raise UserError(
            f"{len(pending)} of {len(outputs)} results are not up to date with "
            f"params.yaml and the code, {pending[0]} the first; run `snakemake --cores all`, then "
            f"{then}"
        )
    if lacking := [path for path in _unrecorded.find_unrecorded() if path in outputs]:
        raise UserError(
            f"Snakemake has no record of what made {_unrecorded.describe(lacking)}, so they may be "
            f"of other parameters or code; {_unrecorded.REMEDY}, then {then}"
        )
    return [*outputs]


def _put_back(lock: bytes | None) -> None:
    """Write the former dvc.lock; None if there was none."""
    if lock is None:
        LOCK.unlink(missing_ok=True)
        return
    with replacing(LOCK) as temporary:
        temporary.write_bytes(lock)


def _remove_new(folder: Path, known: set[Path]) -> None:
    """Remove what is new in a folder, also the folders that were made for it."""
    for path in sorted({*folder.rglob("*")} - known, reverse=True):
        if path.is_dir():
            path.rmdir()
        else:
            path.unlink()


def _forget(stage: str) -> None:
    """Remove a stage that did not run from dvc.lock."""
    if LOCK.exists():
        content = {"schema": "2.0", "stages": {**read_lock()}}
        content["stages"].pop(stage, None)
        with replacing(LOCK) as temporary:
            temporary.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def _extra(outputs: set[str]) -> list[str]:
    """List files in results/ that are no outputs; a folder without outputs stands for its files."""
    known = {str(parent) for path in outputs for parent in Path(path).parents}
    files = [path for path in RESULTS.rglob("*") if path.is_file() and str(path) not in outputs]
    shown = (
        next((str(folder) for folder in reversed(path.parents) if str(folder) not in known), path)
        for path in files
    )
    return sorted({str(path) for path in shown})


class _Output(NamedTuple):
    """What Snakemake knows of an output: what has changed for itself, and what would be done."""

    status: str
    plan: str


def _outputs() -> dict[str, _Output]:
    """Get every output of the workflow."""
    lines = run("snakemake", "--summary", capture=True).stdout.splitlines()
    header = next(i for i, line in enumerate(lines) if line.startswith("output_file"))
    columns = lines[header].split("\t")
    rows = [dict(zip(columns, line.split("\t"), strict=True)) for line in lines[header + 1 :]]
    return {row["output_file"]: _Output(row["status"], row["plan"]) for row in rows}
