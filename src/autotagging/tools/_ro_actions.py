"""Actions of a run in an RO-Crate: Snakemake's, the workflow's and those of its jobs."""

from collections.abc import Container, Iterable
from typing import Any
from urllib.parse import quote

from autotagging.tools._jobs import Job

WORKFLOW = "Snakefile"
ENGINE = "https://snakemake.github.io"
_USAGE = {
    "cpu_seconds": ("CPU time", "https://qudt.org/vocab/unit/SEC"),
    "peak_memory_mb": ("peak memory", "https://qudt.org/vocab/unit/MegaBYTE"),
}

Entity = dict[str, Any]


def ref(id_: str) -> Entity:
    """Refer to an entity."""
    return {"@id": id_}


def refs(ids: Iterable[str]) -> list[Entity] | Entity:
    """Refer to entities; to a single one without a list."""
    found = [ref(id_) for id_ in ids]
    return found[0] if len(found) == 1 else found


def file_id(path: str) -> str:
    """Identify a file by its path, as a relative URI."""
    return quote(path)


def tool_id(job: Job) -> str:
    """Identify the module that a job runs."""
    return file_id(f"src/autotagging/steps/{'/'.join(job.subcommand)}.py")


def step_id(rule: str) -> str:
    """Identify the step of the workflow that a rule is."""
    return f"{WORKFLOW}#{rule}"


def _job_id(kind: str, job: Job) -> str:
    return f"#{kind}-{quote(job.name.replace(' ', '-'))}"


def _times(jobs: list[Job]) -> Entity:
    """Start and end, where the logs tell them."""
    if not jobs or not all(job.note for job in jobs):
        return {}
    return {
        "startTime": min(job.started for job in jobs).isoformat(timespec="seconds"),
        "endTime": max(job.ended for job in jobs).isoformat(timespec="seconds"),
    }


def describe_actions(jobs: list[Job], files: Container[str], folders: list[str]) -> list[Entity]:
    """Describe the run of the workflow, and every job with its control by Snakemake.

    Parameters
    ----------
    jobs
        All jobs, in the order of their ends.
    files
        Paths of the files in the crate.
    folders
        Ids of the folders of results.

    Returns
    -------
    entities
        The action of the whole workflow, with the id #run, is the first.
    """
    run = {
        "@id": "#run",
        "@type": "CreateAction",
        "name": "Run of the workflow",
        "description": f"{len(jobs)} jobs, run by Snakemake with the parameters in params.yaml",
        "instrument": ref(WORKFLOW),
        "object": refs(["params.yaml", "#audio"]),
        "result": refs(folders),
        **_times(jobs),
    }
    engine = {
        "@id": "#engine",
        "@type": "OrganizeAction",
        "name": "Run of Snakemake",
        "instrument": ref(ENGINE),
        "object": refs(_job_id("control", job) for job in jobs),
        "result": ref("#run"),
        **_times(jobs),
    }
    each = [entity for job in jobs for entity in _of_job(job, files)]
    others = {other: _other_file(*other) for job in jobs for other in job.other_files.items()}
    return [run, engine, *each, *others.values()]


def _other_file(path: str, start: str) -> Entity:
    """Describe an input that is not in the crate, such as a model that a training started from."""
    return {
        "@id": _other_id(path, start),
        "@type": "PropertyValue",
        "name": f"first {len(start)} digits of the SHA-256 of {path}",
        "value": start,
    }


def _other_id(path: str, start: str) -> str:
    return f"#input-{quote(path)}-{start}"


def _of_job(job: Job, files: Container[str]) -> list[Entity]:
    """Describe a job: its command, machine, inputs and outputs, without files left out."""
    objects = [file_id(path) for path in job.inputs if path in files] or ["#audio"]
    usage = [
        {
            "@id": f"{_job_id('usage', job)}-{name}",
            "@type": "PropertyValue",
            "name": title,
            "propertyID": name,
            "unitCode": unit,
            "value": str(job.usage[name]),
        }
        for name, (title, unit) in _USAGE.items()
        if name in job.usage
    ]
    action = {
        "@id": _job_id("job", job),
        "@type": "CreateAction",
        "name": job.name,
        "description": "\n".join([job.command, *_place(job)]),
        "instrument": ref(tool_id(job)),
        "object": refs([*objects, *(_other_id(*other) for other in job.other_files.items())]),
        "result": refs(file_id(path) for path in job.outputs if path in files),
        **_times([job]),
        **({"resourceUsage": refs(value["@id"] for value in usage)} if usage else {}),
    }
    control = {
        "@id": _job_id("control", job),
        "@type": "ControlAction",
        "name": f"Control of {job.name}",
        "instrument": ref(step_id(job.rule)),
        "object": ref(action["@id"]),
    }
    return [action, control, *usage]


def _place(job: Job) -> list[str]:
    """Tell commit and machine, but not its name, where the log does."""
    if not job.note:
        return []
    machine, changed = job.note.machine, ", with uncommitted changes" * job.note.changed
    cores = f"{machine['cores']} cores, {machine['memory_gib']} GiB"
    return [
        f"commit: {job.note.commit or 'unknown'}{changed}",
        f"machine: {machine['system']}, {machine['processor']}, {cores}",
    ]
