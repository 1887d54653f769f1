"""Tell what made a result: the command `autotagging provenance`."""

import json as json_format
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autotagging.common.counting import counted
from autotagging.common.errors import UserError
from autotagging.common.files import CHECKSUMS, print_data, read_checksums, read_json, sha256
from autotagging.tools._cache import cache_folder, files_of, has_md5, object_path
from autotagging.tools._engines import RESULTS, flat
from autotagging.tools._jobs import Job, flags_of, read_jobs
from autotagging.tools._lock import LOCK, read_lock, results_of
from autotagging.tools._project import check_project

_CODE = ("src/", "workflow/rules/")
_VERSIONS = ("versions", "figure-versions", "table-versions")
_RESTORED = "unknown: restored from DVC, or the log was deleted"


def provenance(
    file: Path,
    /,
    *,
    json: bool = False,
) -> None:
    """Print what made a result: commit, parameters, inputs, versions, machine and duration.

    The sources are Snakemake's records and the logs of the jobs. For results from DVC, it is
    dvc.lock: machine and duration are then unknown, and the commit is the one of dvc.lock.

    Parameters
    ----------
    file
        A file in results/.
    json
        Print JSON.

    Raises
    ------
    UserError
        The file is no result, neither Snakemake's records nor dvc.lock tell what made it, or one of
        these is damaged.
    """
    described = describe(file)
    if json:
        print_data([json_format.dumps(described, indent=2, ensure_ascii=False) + "\n"])
    else:
        print("\n".join(_lines(described)))


def describe(file: Path) -> dict[str, Any]:
    """Describe what made a result, as a dictionary for JSON; errors as above."""
    path = _in_results(file)
    job = next((job for job in read_jobs() if path in job.outputs), None)
    stages = read_lock() if LOCK.exists() else {}
    stages = {name: stage for name, stage in stages.items() if results_of(stage)}
    name, stage = next(
        ((name, stage) for name, stage in stages.items() if path.startswith(_folder(stage))),
        (None, None),
    )
    recorded = _is_recorded(path, stage) if stage else False
    if job is None and not recorded:
        raise UserError(
            f"{path}: neither Snakemake's records nor {LOCK} tell what made it; `snakemake --cores "
            f"all` makes results, `autotagging restore` gets those of {LOCK}"
        )
    checksums = Path(path).with_name(CHECKSUMS)
    expected = read_checksums(checksums).get(Path(path).name) if checksums.exists() else None
    digest = sha256(Path(path))
    return {
        "file": path,
        "sha256": digest,
        "bytes": Path(path).stat().st_size,
        "as_written": digest == expected if expected else None,
        "in_dvc_lock": recorded,
        **(_of_job(job, stage if recorded else None) if job else _of_stage(name, stage)),
    }


def _of_job(job: Job, recorded: dict[str, Any] | None) -> dict[str, Any]:
    """Describe a job by its record and log; if DVC has its results, `recorded` is their stage."""
    note, model = job.note, _of_model(job.outputs)
    seconds = job.usage.get("seconds", (job.ended - job.started).total_seconds())
    flags = flags_of(job.command)
    listed = [path for flag in _VERSIONS for path in flags.get(flag, [])]
    commit = {"id": note.commit, "changed": note.changed, "source": "log"} if note else None
    if not note and recorded:
        commit = _commit_of_lock(recorded)
    return {
        "job": job.name,
        "command": job.command,
        "commit": commit if commit and commit["id"] else None,
        "parameters": {name: " ".join(values) for name, values in job.parameters.items()},
        "inputs": {
            **{path: _input(path, job.input_checksums.get(path)) for path in job.inputs},
            **{path: _other_input(path, then) for path, then in job.other_files.items()},
        },
        "code": job.code,
        "versions": _versions(model, listed),
        "machine": note.machine if note else None,
        "devices": model.get("devices"),
        "started": job.started.isoformat(timespec="seconds") if note else None,
        "seconds": round(seconds, 1) if note else None,
        "cpu_seconds": job.usage.get("cpu_seconds"),
        "peak_memory_mb": job.usage.get("peak_memory_mb"),
    }


def _of_stage(name: str, stage: dict[str, Any]) -> dict[str, Any]:
    """Describe a stage of dvc.lock, for a result that no job of this folder made."""
    folder = Path(_folder(stage))
    model = _of_model([str(folder / "model.json")])
    deps = {dep["path"]: dep.get("md5", "") for dep in stage.get("deps", [])}
    return {
        "job": f"DVC's stage {name}",
        "command": " ".join(str(stage.get("cmd", "")).split()),
        "commit": _commit_of_lock(stage),
        "parameters": {
            name: str(value) for name, value in flat(stage.get("params", {}).get("params.yaml", {}))
        },
        "inputs": {path: {"md5": md5} for path, md5 in deps.items() if not path.startswith(_CODE)},
        "code": {path: md5 for path, md5 in deps.items() if path.startswith(_CODE)},
        "versions": _versions(model, [str(folder / "versions.json")]),
        **dict.fromkeys(("machine", "started", "seconds", "cpu_seconds", "peak_memory_mb")),
        "devices": model.get("devices"),
    }


def _in_results(file: Path) -> str:
    """Path of a result, relative to the project's folder."""
    check_project()
    path, folder = file.absolute(), RESULTS.absolute()
    if not path.is_relative_to(folder):
        raise UserError(f"{file}: not in {RESULTS}/; give a file that a step wrote")
    if not path.is_file():
        kind = "a folder" if path.is_dir() else "no such file"
        raise UserError(f"{file}: {kind}; give a file that a step wrote")
    return (RESULTS / path.relative_to(folder)).as_posix()


def _folder(stage: dict[str, Any]) -> str:
    """Folder of a stage's results, with a slash at its end."""
    return f"{results_of(stage)[0][0]}/"


def _is_recorded(path: str, stage: dict[str, Any]) -> bool | None:
    """Tell whether a result is the one of dvc.lock; None if DVC's cache lacks its folder's list."""
    listing = object_path(cache_folder(), results_of(stage)[0][1])
    if not listing.is_file():
        return None
    recorded = dict(files_of(_folder(stage), listing)).get(Path(path))
    return recorded is not None and has_md5(Path(path), recorded)


def _commit_of_lock(stage: dict[str, Any]) -> dict[str, Any] | None:
    """Give the commit that wrote a stage's results into dvc.lock; None if it is not committed."""
    listing = results_of(stage)[0][1]
    if listing not in _git("show", f"HEAD:./{LOCK}"):
        return None
    found = _git("log", "-1", "--format=%H", f"-S{listing}", "--", str(LOCK)).strip()
    return {"id": found, "changed": False, "source": str(LOCK)} if found else None


def _git(*words: str) -> str:
    """Run git; give what it prints, nothing if it fails."""
    try:
        return subprocess.run(["git", *words], capture_output=True, encoding="utf-8").stdout
    except OSError:
        return ""


def _input(path: str, then: str | None) -> dict[str, Any]:
    """Give an input's SHA-256 when the job ran (large ones: now), and whether it is the same."""
    now = sha256(Path(path)) if Path(path).is_file() else None
    return {"sha256": then or now, "unchanged": now == then if then else None}


def _other_input(path: str, then: str) -> dict[str, Any]:
    """Give the SHA-256 of a file that no rule makes; if it has changed since, the first digits."""
    now = sha256(Path(path)) if Path(path).is_file() else ""
    unchanged = now.startswith(then)
    return {"sha256": now if unchanged else then, "unchanged": unchanged}


def _of_model(paths: list[str]) -> dict[str, Any]:
    """Read the model.json among the results of a step; nothing if there is none."""
    found = [Path(path) for path in paths if path.endswith("/model.json")]
    return read_json(found[0]) if found and found[0].is_file() else {}


def _versions(model: dict[str, Any], paths: list[str]) -> dict[str, str]:
    """Read the versions that made a result: those of a model, and those in files."""
    found = dict(model.get("versions", {}))
    for path in map(Path, paths):
        found |= read_json(path) if path.is_file() else {}
    return found


def _lines(described: dict[str, Any]) -> Iterator[str]:
    """Write a description for people."""
    yield described["file"]
    for title, values in _sections(described).items():
        for first, value in zip([title, *[""] * len(values)], values or ["none"], strict=False):
            yield f"{first:<12}{value}"


def _sections(described: dict[str, Any]) -> dict[str, list[str]]:
    checks = {"as_written": "as its step wrote it", "in_dvc_lock": f"as in {LOCK}"}
    states = [
        f"{'' if described[key] else 'not '}{text}"
        for key, text in checks.items()
        if described[key] is not None
    ]
    usage = [f"{described['seconds']} s"] if described["machine"] else [_RESTORED]
    if described["cpu_seconds"] is not None:
        usage += [f"{described['cpu_seconds']} s of CPU", f"{described['peak_memory_mb']} MB"]
    return {
        "sha256": [described["sha256"], ", ".join([f"{described['bytes']:,} bytes", *states])],
        "job": [described["job"]],
        "commit": [_commit_text(described["commit"])],
        "command": [described["command"]],
        "parameters": _columns(described["parameters"]),
        "inputs": _columns({path: _input_text(**x) for path, x in described["inputs"].items()}),
        "code": _columns(described["code"]),
        "versions": _columns(described["versions"]),
        "machine": [_machine_text(described["machine"], described["devices"])],
        "started": [described["started"] or _RESTORED],
        "duration": [", ".join(usage)],
    }


def _columns(values: dict[str, str]) -> list[str]:
    width = max(map(len, values), default=0)
    return [f"{name:<{width}}  {value}" for name, value in values.items()]


def _commit_text(commit: dict[str, Any] | None) -> str:
    if commit is None:
        return "unknown"
    changed = ", with uncommitted changes" if commit["changed"] else ""
    source = f", which recorded it in {LOCK}" if commit["source"] == str(LOCK) else ""
    return f"{commit['id']}{changed}{source}"


def _input_text(
    sha256: str | None = None, unchanged: bool | None = None, md5: str | None = None
) -> str:
    if md5:
        return f"md5 {md5}"
    note = {None: " (now)", True: "", False: " (changed since)"}[unchanged]
    return f"{sha256}{note}" if sha256 else "no longer there"


def _machine_text(machine: dict[str, Any] | None, devices: str | None) -> str:
    if machine is None:
        return ", ".join(filter(None, [devices and f"trained on {devices}", _RESTORED]))
    names = [machine[name] for name in ("host", "system", "processor")]
    sizes = [counted(machine["cores"], "core"), f"{machine['memory_gib']} GiB"]
    return ", ".join([*names, *sizes, *([f"trained on {devices}"] if devices else [])])
