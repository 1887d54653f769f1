"""Pack a finished run with a description of it: the command `autotagging crate`."""

import csv
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from autotagging.common.errors import UserError
from autotagging.common.files import flush, read_json, sha256, write_json
from autotagging.common.progress import progress
from autotagging.reporting.captions import attribution, corpus_name, licence
from autotagging.tools import _croissant, _ro_crate
from autotagging.tools._jobs import Job, read_jobs
from autotagging.tools._project import check_project
from autotagging.tools.record import finished_outputs

_AUDIO = Path("results/download/audio.json")
_CODE = ("Snakefile", "params.yaml", "dvc.yaml", "dvc.lock", "workflow", "src", "profiles/default")
_CODE += ("requirements.lock", "pyproject.toml", "README.md", "CITATION.cff", "LICENSE")
_SPECTROGRAMS = "results/extract_mel/shard-*.npy"


def crate(*, out: Path, spectrograms: bool = False) -> None:
    """Pack a finished run as a Workflow Run RO-Crate, with a Croissant file of its tables.

    The folder has the results, the code and the parameters. ro-crate-metadata.json describes every
    job: command, inputs, outputs, and, from its log, times, commit and machine (without its name).
    croissant.json describes the tables of clips, tags and subsets. The audio is not included.

    Parameters
    ----------
    out
        Output: folder outside the project, which must not exist.
    spectrograms
        Whether to include the spectrograms, the largest of the results.

    Raises
    ------
    UserError
        The current folder is not that of the project; the output exists or is inside the project;
        or results are missing, not up to date, or restored from DVC.
    """
    check_project()
    if out.exists():
        raise UserError(f"{out}: exists; give the name of a new folder")
    if out.resolve().is_relative_to(Path.cwd()):
        reason = "is in the project, where DVC would take it for a second pipeline"
        raise UserError(f"{out}: {reason}; give a folder elsewhere, such as ../{out.name}")
    results = finished_outputs(then="pack it")
    jobs = [job for job in read_jobs() if set(job.outputs) & set(results)]
    known = {path for job in jobs for path in job.outputs}
    if unknown := [path for path in results if path not in known]:
        raise UserError(
            f"Snakemake has no record of the jobs that made {len(unknown)} of {len(results)} "
            f"results, {unknown[0]} the first: DVC does not store them; pack the run in the folder "
            "in which it ran, or make the results again by `snakemake --cores all --forceall`"
        )
    if not spectrograms:
        results = [path for path in results if not Path(path).match(_SPECTROGRAMS)]
    partial = out.with_name(f".partial-{out.name}")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        files = _copy([*_code(), *sorted(results)], partial)
        _describe(jobs, files, partial)
        partial.rename(out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    _warn_of_unknown_commits(jobs)
    size = sum(size for size, _ in files.values())
    print(f"{out}: {len(files)} files, {size / 1e6:.1f} MB, {len(jobs)} jobs", file=sys.stderr)


def _warn_of_unknown_commits(jobs: list[Job]) -> None:
    """Say how many logs name no commit; a log that is missing is no news."""
    if without := [job.name for job in jobs if job.note and not job.note.commit]:
        print(
            f"warning: git did not tell the commit of {len(without)} of {len(jobs)} jobs, "
            f"{without[0]} the first, so the crate does not either; see `autotagging doctor`",
            file=sys.stderr,
        )


def _code() -> list[str]:
    """List the files of the repository that a run needs."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--", *_CODE], capture_output=True, encoding="utf-8"
    )
    paths = [path for path in listed.stdout.split("\0") if path and Path(path).is_file()]
    if listed.returncode or "Snakefile" not in paths:
        reason = (listed.stderr.strip().splitlines() or ["no Snakefile among them"])[0]
        raise UserError(
            f"git does not list the project's files here ({reason}); run this in a clone of it, or "
            "see `autotagging doctor`"
        )
    return paths


def _copy(paths: list[str], folder: Path) -> dict[str, tuple[int, str]]:
    """Copy files; return bytes and SHA-256 of each."""
    facts = {}
    for path in progress(paths, total=len(paths), label="Copying files"):
        copy = folder / path
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
        flush(copy)
        facts[path] = (copy.stat().st_size, sha256(copy))
    return facts


def _describe(jobs: list[Job], files: dict[str, tuple[int, str]], folder: Path) -> None:
    """Write both descriptions."""
    audio = read_json(_AUDIO, title=str, sha256=str, bytes=int)
    name, known = corpus_name(audio["title"]), licence(audio["title"])
    terms = {"licence": known[1] if known else attribution(audio["title"])}
    ended = [job.ended for job in jobs if job.note]
    published = max(ended, default=datetime.now(UTC))
    facts: dict[str, Any] = {"title": f"Run of autotagging on {name}", **terms}
    facts["description"] = (
        f"Taggers of music, trained and evaluated on {name}: code, parameters and results of each "
        f"step. {attribution(audio['title'])}"
    )
    tables = _croissant.describe_tables(
        {path: _columns(path) for path in _croissant.TABLES},
        files,
        title=f"Tables of {name}",
        description=f"Clips, tags and subsets of {name}. {attribution(audio['title'])}",
        citation=attribution(audio["title"]),
        published=published.date().isoformat(),
        **terms,
    )
    path = folder / _croissant.FILE
    write_json(tables, path)
    described = files | {_croissant.FILE: (path.stat().st_size, sha256(path))}
    document = _ro_crate.describe_run(jobs, described, published=published, audio=audio, **facts)
    write_json(document, folder / _ro_crate.METADATA)


def _columns(path: str) -> list[str]:
    """Read the names in the header of a table that a step wrote."""
    separator = "\t" if _croissant.is_tab_separated(path) else ","
    with open(path, encoding="utf-8", newline="") as file:
        return next(csv.reader(file, delimiter=separator))
