"""Description of a finished run as a Workflow Run RO-Crate, as JSON-LD.

The crate follows RO-Crate 1.1 and the profile Provenance Run Crate 0.5, which describes every job,
and with it the profiles Workflow Run Crate, Process Run Crate and Workflow RO-Crate.
"""

from collections.abc import Iterable
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote

from autotagging.commands import PACKAGE, figure_title, find_commands
from autotagging.tools._jobs import Job

METADATA = "ro-crate-metadata.json"
WORKFLOW = "Snakefile"
_RUN_TERMS = "https://w3id.org/ro/terms/workflow-run#"
_CONTEXT = [
    "https://w3id.org/ro/crate/1.1/context",
    {name: f"{_RUN_TERMS}{name}" for name in ("sha256", "resourceUsage")},
]
_WORKFLOW_PROFILE = "https://w3id.org/workflowhub/workflow-ro-crate/1.0"
_PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/ro/wfrun/provenance/0.5": "Provenance Run Crate",
    _WORKFLOW_PROFILE: "Workflow RO-Crate",
}
_COMPUTATIONAL_WORKFLOW = "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"
_LANGUAGE = "https://w3id.org/workflowhub/workflow-ro-crate#snakemake"
_PYTHON = "https://w3id.org/workflowhub/workflow-ro-crate#python"
_ENGINE = "https://snakemake.github.io"
_STEPS = Path("src/autotagging/steps")
_FORMATS = {
    ".csv": "text/csv",
    ".html": "text/html",
    ".json": "application/json",
    ".lock": "text/plain",
    ".md": "text/markdown",
    ".png": "image/png",
    ".py": "text/x-python",
    ".svg": "image/svg+xml",
    ".tex": "application/x-tex",
    ".yaml": "application/yaml",
}
_USAGE = {
    "cpu_seconds": ("CPU time", "https://qudt.org/vocab/unit/SEC"),
    "peak_memory_mb": ("peak memory", "https://qudt.org/vocab/unit/MegaBYTE"),
}

Entity = dict[str, Any]


def describe_run(
    jobs: list[Job],
    files: dict[str, tuple[int, str]],
    *,
    title: str,
    description: str,
    licence: str,
    published: datetime,
    audio: dict[str, Any],
) -> Entity:
    """Describe a run and its files.

    Parameters
    ----------
    jobs
        All jobs, in the order of their ends.
    files
        Bytes and SHA-256 of each file in the crate, by its path: results, Snakefile, params.yaml,
        the modules of the steps.
    title, description
        Name of the crate, and what it holds.
    licence
        Address of the licence of the crate as a whole, or a sentence on it.
    published
        Date of the crate.
    audio
        audio.json of download, which has the checksum of the audio; the audio is not in the crate.

    Returns
    -------
    document
        Content of ro-crate-metadata.json.
    """
    folders = sorted({_folder(path) for path in files if path.startswith("results/")})
    actions = [_action(job, files) for job in jobs]
    usage = [value for job in jobs for value in _usage(job)]
    rules = list(dict.fromkeys(job.rule for job in jobs))
    tools = {rule: _tool(rule) for rule in rules}
    run = _run(jobs, folders)
    plain = [_file(path, *facts) for path, facts in files.items() if path != WORKFLOW]
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": title,
        "description": description,
        "datePublished": published.date().isoformat(),
        "license": _ref(licence) if licence.startswith("https:") else licence,
        "conformsTo": _refs(_PROFILES),
        "hasPart": _refs([*map(_id, files), *folders]),
        "mainEntity": _ref(WORKFLOW),
        "mentions": _refs([run["@id"], *(action["@id"] for action in actions)]),
    }
    entities = [
        _metadata(),
        root,
        _workflow(files[WORKFLOW], tools, folders),
        *_software(),
        *_parameters(folders, audio),
        *_merged(plain, tools, files),
        *(_dataset(folder, files) for folder in folders),
        *(_step(rule, i, tools[rule]) for i, rule in enumerate(rules, start=1)),
        run,
        *actions,
        *usage,
        *(_control(job) for job in jobs),
        _organization(jobs),
    ]
    return {"@context": _CONTEXT, "@graph": entities}


def _ref(id_: str) -> Entity:
    return {"@id": id_}


def _refs(ids: Iterable[str]) -> list[Entity]:
    return [*map(_ref, ids)]


def _id(path: str) -> str:
    """Identify a file by its path, as a relative URI."""
    return quote(path)


def _folder(path: str) -> str:
    """Folder of a step, for example results/split/."""
    return f"{_id('/'.join(Path(path).parts[:2]))}/"


def _metadata() -> Entity:
    return {
        "@id": METADATA,
        "@type": "CreativeWork",
        "about": _ref("./"),
        "conformsTo": _refs(["https://w3id.org/ro/crate/1.1", _WORKFLOW_PROFILE]),
    }


def _software() -> list[Entity]:
    """Describe the profiles, Snakemake as language and as engine, and Python."""
    profiles = [
        {"@id": id_, "@type": "CreativeWork", "name": name, "version": id_.rpartition("/")[2]}
        for id_, name in _PROFILES.items()
    ]
    snakemake = {"url": _ref(_ENGINE), "version": version("snakemake")}
    return [
        *profiles,
        {
            "@id": _LANGUAGE,
            "@type": "ComputerLanguage",
            "name": "Snakemake",
            "identifier": _ref("https://doi.org/10.1093/bioinformatics/bts480"),
            **snakemake,
        },
        {"@id": _ENGINE, "@type": "SoftwareApplication", "name": "Snakemake", **snakemake},
        {
            "@id": _PYTHON,
            "@type": "ComputerLanguage",
            "name": "Python",
            "url": _ref("https://www.python.org"),
        },
    ]


def _workflow(facts: tuple[int, str], tools: dict[str, Entity], folders: list[str]) -> Entity:
    return {
        **_file(WORKFLOW, *facts),
        "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"],
        "name": "autotagging: from a corpus of music to trained and evaluated taggers",
        "conformsTo": _ref(_COMPUTATIONAL_WORKFLOW),
        "programmingLanguage": _ref(_LANGUAGE),
        "license": _ref("https://spdx.org/licenses/MIT"),
        "version": version("autotagging"),
        "hasPart": _refs(tool["@id"] for tool in _unique(tools.values())),
        "step": _refs(f"{WORKFLOW}#{rule}" for rule in tools),
        "input": _refs(["#parameter-params", "#parameter-audio"]),
        "output": _refs(map(_output_id, folders)),
    }


def _tool(rule: str) -> Entity:
    """Describe the module that a rule runs."""
    titles = find_commands(PACKAGE / "steps")
    figure = rule not in titles
    path = _STEPS / ("figures" if figure else "") / f"{rule}.py"
    return {
        "@id": _id(path.as_posix()),
        "@type": ["File", "SoftwareSourceCode"],
        "name": f"autotagging {'figures ' if figure else ''}{rule}",
        "description": figure_title(rule) if figure else titles[rule],
        "programmingLanguage": _ref(_PYTHON),
        "version": version("autotagging"),
    }


def _unique(entities: Iterable[Entity]) -> list[Entity]:
    return list({entity["@id"]: entity for entity in entities}.values())


def _merged(
    plain: list[Entity], tools: dict[str, Entity], files: dict[str, tuple[int, str]]
) -> list[Entity]:
    """Put what is known of a tool into the entity of its file."""
    known = {tool["@id"]: tool for tool in tools.values()}
    extra = {_id("params.yaml"): {"exampleOfWork": _ref("#parameter-params")}}
    return [
        {**entity, **known.get(entity["@id"], {}), **extra.get(entity["@id"], {})}
        for entity in plain
    ]


def _file(path: str, size: int, sha256: str) -> Entity:
    return {
        "@id": _id(path),
        "@type": "File",
        "name": path,
        "contentSize": str(size),
        "encodingFormat": _FORMATS.get(Path(path).suffix, "application/octet-stream"),
        "sha256": sha256,
    }


def _dataset(folder: str, files: dict[str, tuple[int, str]]) -> Entity:
    return {
        "@id": folder,
        "@type": "Dataset",
        "name": f"Results of the step {folder.split('/')[1]}",
        "hasPart": _refs(_id(path) for path in files if _id(path).startswith(folder)),
        "exampleOfWork": _ref(_output_id(folder)),
    }


def _output_id(folder: str) -> str:
    return f"#parameter-{folder.split('/')[1]}"


def _parameters(folders: list[str], audio: dict[str, Any]) -> list[Entity]:
    """Describe what the workflow reads and writes, and the audio that this run read."""

    def parameter(id_: str, kind: str, name: str, example: str) -> Entity:
        return {
            "@id": id_,
            "@type": "FormalParameter",
            "additionalType": kind,
            "name": name,
            "workExample": _ref(example),
        }

    outputs = [
        parameter(_output_id(folder), "Dataset", folder.split("/")[1], folder) for folder in folders
    ]
    return [
        parameter("#parameter-params", "File", "parameters", "params.yaml"),
        parameter("#parameter-audio", "PropertyValue", "audio", "#audio"),
        *outputs,
        {
            "@id": "#audio",
            "@type": "PropertyValue",
            "name": f"SHA-256 of the audio of the corpus {audio['title']}, {audio['bytes']} bytes",
            "value": audio["sha256"],
            "exampleOfWork": _ref("#parameter-audio"),
        },
    ]


def _step(rule: str, position: int, tool: Entity) -> Entity:
    return {
        "@id": f"{WORKFLOW}#{rule}",
        "@type": "HowToStep",
        "name": rule,
        "position": str(position),
        "workExample": _ref(tool["@id"]),
    }


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


def _run(jobs: list[Job], folders: list[str]) -> Entity:
    return {
        "@id": "#run",
        "@type": "CreateAction",
        "name": "Run of the workflow",
        "description": f"{len(jobs)} jobs; Snakemake ran them on parameters of params.yaml",
        "instrument": _ref(WORKFLOW),
        "object": _refs(["params.yaml", "#audio"]),
        "result": _refs(folders),
        **_times(jobs),
    }


def _action(job: Job, files: dict[str, tuple[int, str]]) -> Entity:
    """Describe a job: its command, machine, inputs and outputs, without files left out."""
    lines = [job.command]
    if job.note:
        machine = job.note.machine
        changed = ", with uncommitted changes" if job.note.changed else ""
        lines += [
            f"commit: {job.note.commit or 'unknown'}{changed}",
            f"machine: {machine['system']}, {machine['processor']}, {machine['cores']} cores",
        ]
    usage = [value["@id"] for value in _usage(job)]
    return {
        "@id": _job_id("job", job),
        "@type": "CreateAction",
        "name": job.name,
        "description": "\n".join(lines),
        "instrument": _ref(_tool(job.rule)["@id"]),
        "object": _refs(_id(path) for path in job.inputs if path in files) or [_ref("#audio")],
        "result": _refs(_id(path) for path in job.outputs if path in files),
        **_times([job]),
        **({"resourceUsage": _refs(usage)} if usage else {}),
    }


def _usage(job: Job) -> list[Entity]:
    return [
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


def _control(job: Job) -> Entity:
    return {
        "@id": _job_id("control", job),
        "@type": "ControlAction",
        "name": f"Control of {job.name}",
        "instrument": _ref(f"{WORKFLOW}#{job.rule}"),
        "object": _ref(_job_id("job", job)),
    }


def _organization(jobs: list[Job]) -> Entity:
    return {
        "@id": "#engine",
        "@type": "OrganizeAction",
        "name": "Run of Snakemake",
        "instrument": _ref(_ENGINE),
        "object": _refs(_job_id("control", job) for job in jobs),
        "result": _ref("#run"),
        **_times(jobs),
    }
