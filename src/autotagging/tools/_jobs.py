"""The jobs that made the results: Snakemake's records, and the logs next to them."""

import csv
import json
import re
import shlex
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from autotagging.common.errors import UserError
from autotagging.tools._job_note import Note, read_note
from autotagging.tools._replaced import TOLERANCE
from autotagging.tools._unrecorded import RECORDS, output_of

_FOLDERS = ("results/", "logs/", "unfinished/", "workflow/")
_CODE = ("src/", "workflow/")
_SOURCE = re.compile(r"""^(['"])(?!--)(.+) ([0-9a-f]{16})\1$""")
_OF_MODEL = re.compile(r"results/[^/]+/([^/]+)/seed-(\d+)/")
"""Results of a step that runs per model."""


@dataclass(frozen=True)
class Job:
    """A finished job.

    Attributes
    ----------
    rule
        Name of its rule.
    command
        Shell command.
    outputs
        Files that it made, as far as they are still there.
    inputs
        Results that it read.
    input_checksums
        SHA-256 of the smaller inputs, as they were then.
    code
        Files and folders of the project that it depends on, each with the beginning of a hash of
        its contents, as `sources` in workflow/rules/common.smk gives it.
    other_files
        The same for other files that no rule makes: a model that a training started from, tables
        of a corpus folder.
    started, ended
        Times in UTC.
    """

    rule: str
    command: str
    outputs: list[str]
    inputs: list[str]
    input_checksums: dict[str, str]
    code: dict[str, str]
    other_files: dict[str, str]
    started: datetime
    ended: datetime
    note: Note | None = field(default=None)
    usage: dict[str, float] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Rule, with the model and seed or the shard, for example "train crnn 0"."""
        if found := _OF_MODEL.match(self.outputs[0]):
            values = list(found.groups())
        else:
            values = flags_of(self.command).get("shard", [])
        return " ".join([self.rule, *values])

    @property
    def subcommand(self) -> list[str]:
        """Words of its command from the name of the step, for example ["figures", "table_4"]."""
        words = shlex.split(self.command)
        words = words[words.index("autotagging") + 1 :]
        return words[: next((i for i, word in enumerate(words) if word.startswith("-")), None)]

    @property
    def parameters(self) -> dict[str, list[str]]:
        """Flags of its command whose values are no paths of the project."""
        flags = flags_of(self.command)
        return {
            name: values
            for name, values in flags.items()
            if not any(value.startswith(_FOLDERS) for value in values)
        }


def read_jobs() -> list[Job]:
    """Read the jobs that made the files in results/, in the order of their ends.

    The note and the benchmark are left out if they belong to another run than the files: after
    `autotagging restore`, for example.

    Raises
    ------
    UserError
        A record is damaged.
    """
    grouped: dict[str, dict[str, dict[str, Any]]] = {}
    for path in sorted(RECORDS.rglob("*")):
        if path.is_file() and (output := output_of(path)).startswith("results/"):
            record = _read_record(path)
            if Path(output).is_file() and not record.get("incomplete") and record.get("shellcmd"):
                _check_record(record, path)
                grouped.setdefault(record["shellcmd"], {})[output] = record
    jobs = [_job(command, records) for command, records in grouped.items()]
    return sorted(jobs, key=lambda job: (job.ended, job.name))


def flags_of(command: str) -> dict[str, list[str]]:
    """Read the flags of a job's shell command: values by name, in order."""
    words = shlex.split(command)
    words = words[words.index("autotagging") + 1 :] if "autotagging" in words else words
    end = next((i for i, word in enumerate(words) if word in (">", "2>&1", "|")), len(words))
    flags: dict[str, list[str]] = {}
    name = None
    for word in words[:end]:
        if word.startswith("--"):
            name, equals, value = word.removeprefix("--").partition("=")
            flags[name] = [value] if equals else []
        elif name:
            flags[name].append(word)
    return flags


def _read_record(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise _damaged(path, error) from error
    return record if isinstance(record, dict) else {}


def _damaged(path: Path, why: object) -> UserError:
    return UserError(
        f"{path}: damaged ({why}); delete it and {output_of(path)}, and run Snakemake again"
    )


def _check_record(record: dict[str, Any], path: Path) -> None:
    """Raise UserError unless the entries of a record that `_job` reads are as Snakemake writes."""
    for name in ("rule", "shellcmd"):
        if not isinstance(record.get(name), str):
            raise _damaged(path, f"{name} is no text")
    for name in ("input", "params", "log"):
        if not isinstance(record.get(name), list) or not _are_texts(record[name]):
            raise _damaged(path, f"{name} is no list of texts")
    checksums = record.get("input_checksums") or {}
    if not isinstance(checksums, dict) or not _are_texts(checksums.values()):
        raise _damaged(path, "input_checksums has something other than texts")
    try:
        shlex.split(record["shellcmd"])
    except ValueError as error:
        raise _damaged(path, f"shellcmd: {error}") from error
    for name in ("starttime", "endtime"):
        try:
            time = datetime.fromtimestamp(record.get(name), UTC)
            _ = time - TOLERANCE, time + TOLERANCE
        except (TypeError, ValueError, OverflowError, OSError) as error:
            raise _damaged(path, f"{name} is no time") from error


def _are_texts(values: Iterable[Any]) -> bool:
    return all(isinstance(value, str) for value in values)


def _job(command: str, records: dict[str, dict[str, Any]]) -> Job:
    record = next(iter(records.values()))
    started, ended = (
        datetime.fromtimestamp(choose(each[key] for each in records.values()), UTC)
        for key, choose in (("starttime", min), ("endtime", max))
    )
    logs = sorted(record["log"])
    note = next(filter(None, (read_note(Path(log)) for log in logs)), None)
    if note and not started - TOLERANCE <= note.started <= ended + TOLERANCE:
        note = None
    checksums = record.get("input_checksums") or {}
    sources = dict(
        found.groups()[1:] for text in record["params"] if (found := _SOURCE.match(text))
    )
    return Job(
        rule=record["rule"],
        command=command,
        outputs=sorted(records),
        inputs=sorted(path for path in record["input"] if not path.startswith("src/")),
        input_checksums={
            path: checksum.removeprefix("sha256:")
            for path, checksum in checksums.items()
            if checksum.startswith("sha256:")
        },
        code={path: hash_ for path, hash_ in sources.items() if path.startswith(_CODE)},
        other_files={path: hash_ for path, hash_ in sources.items() if not path.startswith(_CODE)},
        started=started,
        ended=ended,
        note=note,
        usage=_usage(logs) if note else {},
    )


def _usage(logs: list[str]) -> dict[str, float]:
    """Read Snakemake's benchmark next to a log: seconds, CPU seconds and MB of memory.

    What is not there, or not a number, is left out.
    """
    for log in map(Path, logs):
        for path in (log.with_suffix(".tsv"), log.with_name("benchmark.tsv")):
            if path.is_file():
                with path.open(encoding="utf-8", errors="replace", newline="") as file:
                    row = _first_row(file)
                names = {"s": "seconds", "cpu_time": "cpu_seconds", "max_rss": "peak_memory_mb"}
                return {
                    name: float(row[key])
                    for key, name in names.items()
                    if re.fullmatch(r"\d{1,15}(\.\d+)?", row.get(key) or "")
                }
    return {}


def _first_row(file: TextIO) -> dict[str, str]:
    with suppress(csv.Error):
        return next(csv.DictReader(file, delimiter="\t"), {})
    return {}
