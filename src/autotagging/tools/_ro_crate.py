"""Description of a finished run as a Workflow Run RO-Crate, as JSON-LD.

The crate follows RO-Crate 1.1 and the profile Provenance Run Crate 0.5, which describes every job,
and with it the profiles Workflow Run Crate, Process Run Crate and Workflow RO-Crate.
"""

from collections.abc import Iterable
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from autotagging.tools._jobs import Job
from autotagging.tools._ro_actions import (
    ENGINE,
    WORKFLOW,
    Entity,
    describe_actions,
    file_id,
    ref,
    refs,
    step_id,
    tool_id,
)

METADATA = "ro-crate-metadata.json"
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
_MIT = "https://spdx.org/licenses/MIT"
_AUTHORS = "#authors"
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
    actions = describe_actions(jobs, files, folders)
    tools = {job.rule: _tool(job) for job in jobs}
    known = {tool["@id"]: tool for tool in tools.values()} | _named()
    terms = _licence(licence)
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": title,
        "description": description,
        "datePublished": published.date().isoformat(),
        "license": ref(terms["@id"]),
        "author": ref(_AUTHORS),
        "conformsTo": refs(_PROFILES),
        "hasPart": refs([*map(file_id, files), *folders]),
        "mainEntity": ref(WORKFLOW),
        "mentions": refs(act["@id"] for act in actions if act["@type"] == "CreateAction"),
    }
    plain = [_file(path, *facts) for path, facts in files.items() if path != WORKFLOW]
    entities = [
        _metadata(),
        root,
        _workflow(files[WORKFLOW], tools, folders),
        *_software(),
        *_unique([terms, _licence(_MIT)]),
        *_parameters(folders, audio),
        *({**entity, **known.get(entity["@id"], {})} for entity in plain),
        *(_dataset(folder, files) for folder in folders),
        *(_step(rule, i, tools[rule]) for i, rule in enumerate(tools, start=1)),
        *actions,
    ]
    return {"@context": _CONTEXT, "@graph": entities}


def _folder(path: str) -> str:
    """Folder of a step, for example results/split/."""
    return f"{file_id('/'.join(Path(path).parts[:2]))}/"


def _metadata() -> Entity:
    return {
        "@id": METADATA,
        "@type": "CreativeWork",
        "about": ref("./"),
        "conformsTo": refs(["https://w3id.org/ro/crate/1.1", _WORKFLOW_PROFILE]),
    }


def _software() -> list[Entity]:
    """Describe the profiles, Snakemake as language and as engine, Python, and the authors."""
    profiles = [
        {"@id": id_, "@type": "CreativeWork", "name": name, "version": id_.rpartition("/")[2]}
        for id_, name in _PROFILES.items()
    ]
    snakemake = {"url": ref(ENGINE), "version": version("snakemake")}
    return [
        *profiles,
        {
            "@id": _LANGUAGE,
            "@type": "ComputerLanguage",
            "name": "Snakemake",
            "identifier": ref("https://doi.org/10.1093/bioinformatics/bts480"),
            **snakemake,
        },
        {"@id": ENGINE, "@type": "SoftwareApplication", "name": "Snakemake", **snakemake},
        {
            "@id": _PYTHON,
            "@type": "ComputerLanguage",
            "name": "Python",
            "url": ref("https://www.python.org"),
        },
        {"@id": _AUTHORS, "@type": "Organization", "name": "The autotagging authors"},
    ]


def _licence(licence: str) -> Entity:
    """Describe a licence by its address, or in a sentence."""
    known = licence.startswith("https:")
    return {
        "@id": licence if known else "#licence",
        "@type": "CreativeWork",
        "name": licence.removeprefix("https://") if known else "licence of the corpus",
        "description": "Licence" if known else licence,
    }


def _workflow(facts: tuple[int, str], tools: dict[str, Entity], folders: list[str]) -> Entity:
    return {
        **_file(WORKFLOW, *facts),
        "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"],
        "name": "autotagging: from a corpus of music to trained and evaluated taggers",
        "conformsTo": ref(_COMPUTATIONAL_WORKFLOW),
        "programmingLanguage": ref(_LANGUAGE),
        "license": ref(_MIT),
        "version": version("autotagging"),
        "hasPart": refs(tool["@id"] for tool in _unique(tools.values())),
        "step": refs(map(step_id, tools)),
        "input": refs(["#parameter-params", "#parameter-audio"]),
        "output": refs(map(_output_id, folders)),
    }


def _tool(job: Job) -> Entity:
    """Describe the module that a job runs."""
    return {
        "@id": tool_id(job),
        "@type": ["File", "SoftwareSourceCode"],
        "name": f"autotagging {' '.join(job.subcommand)}",
        "programmingLanguage": ref(_PYTHON),
        "version": version("autotagging"),
    }


def _named() -> dict[str, Entity]:
    """Give what else is known of two files, by their ids."""
    return {
        "params.yaml": {"exampleOfWork": ref("#parameter-params")},
        "README.md": {"about": ref("./")},
    }


def _unique(entities: Iterable[Entity]) -> list[Entity]:
    return list({entity["@id"]: entity for entity in entities}.values())


def _file(path: str, size: int, sha256: str) -> Entity:
    return {
        "@id": file_id(path),
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
        "hasPart": refs(file_id(path) for path in files if file_id(path).startswith(folder)),
        "exampleOfWork": ref(_output_id(folder)),
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
            "workExample": ref(example),
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
            "exampleOfWork": ref("#parameter-audio"),
        },
    ]


def _step(rule: str, position: int, tool: Entity) -> Entity:
    return {
        "@id": step_id(rule),
        "@type": "HowToStep",
        "name": rule,
        "position": str(position),
        "workExample": ref(tool["@id"]),
    }
