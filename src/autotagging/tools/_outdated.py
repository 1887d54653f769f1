"""Results that other versions of libraries made than those installed.

They are only named: neither Snakemake nor DVC makes them again by itself.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autotagging.common.errors import UserError
from autotagging.common.params import read_params
from autotagging.common.versions import VERSIONS, version_of
from autotagging.tools._engines import RESULTS

# The parts of a step that runs in parts are made again, not the table that lists them.
_FIGURES = "figures"
_RULES = {"extract_mel": "extract_mel_shard"}


@dataclass(frozen=True)
class Outdated:
    """A result of other versions.

    Attributes
    ----------
    path
        Its file of versions.
    changes
        Version that made it and version installed, by library.
    """

    path: Path
    changes: dict[str, tuple[str, str]]

    @property
    def name(self) -> str:
        """Name the result for readers: its step, model and seed, or "figures"."""
        step, *rest = self.path.relative_to(RESULTS).parts[:-1]
        return step if step == _FIGURES else "/".join([step, *rest])

    @property
    def target(self) -> str:
        """Name what Snakemake's --forcerun takes: a rule, or a file where a rule has several jobs.

        Empty for figures, which are all deleted.
        """
        step, *rest = self.path.relative_to(RESULTS).parts
        if step == _FIGURES:
            return ""
        return str(self.path) if len(rest) > 1 else _RULES.get(step, step)


def find_outdated() -> list[Outdated]:
    """Compare the versions of all results with those installed; a damaged file is left out."""
    patterns = (f"*/{VERSIONS}", f"*/*/*/{VERSIONS}", f"{_FIGURES}/{Path(VERSIONS).stem}/*.json")
    paths = [path for pattern in patterns for path in sorted(RESULTS.glob(pattern))]
    found = ((path, dict(_changes(path))) for path in paths)
    return [Outdated(path, changes) for path, changes in found if changes]


def _changes(path: Path) -> Iterator[tuple[str, tuple[str, str]]]:
    made = _read(path)
    for name, version in made.items() if isinstance(made, dict) else ():
        if version != version_of(name):
            yield name, (str(version), version_of(name))


def _read(path: Path) -> Any:
    """Read a file of versions; None if it is missing or damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def describe(found: list[Outdated]) -> str:
    """Name results and their versions, such as "split: made by numpy 2.3.1, now 2.4.0"."""
    names = ", ".join(dict.fromkeys(each.name for each in found))
    changes = {
        f"{library} {made}, now {now}"
        for each in found
        for library, (made, now) in each.changes.items()
    }
    return f"{names}: made by {'; '.join(sorted(changes))}"


def without_versions() -> list[str]:
    """Name the folders of results, such as "train/crnn/seed-0", whose versions can't be read."""
    folders = [
        folder
        for step in sorted(RESULTS.glob("*"))
        for folder in sorted(step.glob("*/seed-*")) or [step]  # of a step that runs per model
        if step.name != _FIGURES and any(path.is_file() for path in folder.rglob("*"))
    ]
    return [
        folder.relative_to(RESULTS).as_posix()
        for folder in folders
        if not isinstance(_read(folder / VERSIONS), dict)
    ]


def remedy(found: list[Outdated]) -> str:
    """Give the command that makes results again; what follows from them is made again, too."""
    others = _of_other_params(found)
    listed = [each for each in found if each.name not in others]
    targets = list(dict.fromkeys(each.target for each in listed if each.target))
    forced = ["--forcerun", *targets] if targets else []
    command = " ".join(["snakemake --cores all", *forced])
    if any(each.name == _FIGURES for each in found):
        command = f"rm -r {RESULTS / _FIGURES}; {command}"
    if others:
        names = ", ".join(others)
        command += f"; {names}, not in params.yaml: delete them, or run with their --configfile"
    return command


def _of_other_params(found: list[Outdated]) -> list[str]:
    """Name the results of models and seeds not in params.yaml; none if it is damaged."""
    try:
        params = read_params(Path("params.yaml"))
        runs = {f"{model}/seed-{n}" for model in params["models"] for n in params["train"]["seeds"]}
    except (UserError, KeyError, TypeError):
        return []
    names = dict.fromkeys(each.name for each in found if each.name.count("/") == 2)
    return [name for name in names if name.partition("/")[2] not in runs]


def warning() -> str:
    """Give the line that Snakemake shows at its start; empty if there is nothing to say."""
    found = find_outdated()
    if not found:
        return ""
    return (
        f"warning: {describe(found)}. They are not made "
        "again by themselves; `autotagging doctor` says what to type."
    )
