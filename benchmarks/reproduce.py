"""Run the pipeline twice, in two clean clones with other surroundings, and compare every result.

Usage: python benchmarks/reproduce.py, or `make reproduce`, at the top of the repository. The clones
differ in path, user name, home folder, time zone, locale, umask and number of cores. Trainings have
the same number of threads in both, because that is part of their result. The exit code is 1 if a
file differs between the two.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import chdir
from dataclasses import dataclass, field
from functools import reduce
from itertools import zip_longest
from pathlib import Path
from typing import Any

import yaml

from autotagging.common.files import read_json, sha256
from autotagging.tools._cache import dvc_hash
from autotagging.tools._jobs import Job, flags_of, read_jobs
from autotagging.tools._machine import cores

RESULTS = Path("results")
TINY = {
    "clips: 440": "clips: 24",
    "epochs: 9": "epochs: 1",
    "shards: 16": "shards: 2",
    "max_bad: 0.01": "max_bad: 0.1",
}
"""Edits of params.yaml for a run of a few minutes."""
DROPPED = ("PYTHONPATH", "VIRTUAL_ENV", "LANG", "LANGUAGE", "LC_ALL", "XDG_CACHE_HOME")


@dataclass(frozen=True)
class Surroundings:
    """What may differ between two machines of one kind.

    Attributes
    ----------
    folder
        Name of the clone's folder.
    environment
        Variables of the environment.
    umask
        File mode creation mask.
    cores
        Number of cores that Snakemake may use.
    """

    folder: str
    environment: dict[str, str]
    umask: int
    cores: int

    def __str__(self) -> str:
        values = " ".join(f"{name}={value!r}" for name, value in self.environment.items())
        return f"{self.folder!r}: {values} umask={self.umask:03o} cores={self.cores}"


@dataclass
class Clone:
    """A clean clone in which the pipeline runs.

    Attributes
    ----------
    path
        Its folder.
    surroundings
        Where it runs.
    digests
        SHA-256 of each result, by path, after the run.
    """

    path: Path
    surroundings: Surroundings
    digests: dict[str, str] = field(default_factory=dict)

    def run(self, command: list[str | Path], **environment: str) -> None:
        """Run a command in the clone; its output is shown if it fails."""
        home = self.path.parent / f"home of {self.surroundings.environment['USER']}"
        home.mkdir(exist_ok=True)
        kept = {name: value for name, value in os.environ.items() if name not in DROPPED}
        result = subprocess.run(
            command,
            cwd=self.path,
            env={
                **kept,
                "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                "PYTHONPATH": str(self.path / "src"),
                "AUTOTAGGING_CORPORA": str(self.path.parent / f"corpora of {self.path.name}"),
                "HOME": str(home),
                **self.surroundings.environment,
                **environment,
            },
            umask=self.surroundings.umask,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        if result.returncode:
            sys.stdout.write(result.stdout.decode(errors="replace"))
            raise SystemExit(f"{self.path}: {command[0]} ended with {result.returncode}")

    def measure(self) -> None:
        """Compute the SHA-256 of every file in results/."""
        files = sorted(path for path in (self.path / RESULTS).rglob("*") if path.is_file())
        self.digests = {path.relative_to(self.path).as_posix(): sha256(path) for path in files}

    def jobs(self) -> dict[str, Job]:
        """Jobs by the paths of their outputs."""
        with chdir(self.path):
            return {path: job for job in read_jobs() for path in job.outputs}


def two_surroundings(cores: int) -> tuple[Surroundings, Surroundings]:
    """Choose two surroundings that differ in all that Python and the tools look at."""
    listed = []
    if shutil.which("locale"):
        found = subprocess.run(["locale", "-a"], capture_output=True, encoding="utf-8")
        listed = found.stdout.split()
    other = next((name for name in ("tr_TR.utf8", "de_DE.utf8") if name in listed), "C.UTF-8")
    one = {"USER": "ada", "LOGNAME": "ada", "TZ": "XST-14", "LC_ALL": "C"}
    two = {"USER": "grace hopper", "LOGNAME": "grace hopper", "TZ": "YST9:30", "LC_ALL": other}
    return (
        Surroundings("one", one, 0o022, cores),
        Surroundings("the second clone, ü", two, 0o077, cores + 1),
    )


def make_clone(source: Path, folder: Path, surroundings: Surroundings, *, tiny: bool) -> Clone:
    """Clone the last commit of a repository."""
    path = folder / surroundings.folder
    git = ["git", "clone", "--quiet", "--no-hardlinks", str(source), str(path)]
    subprocess.run(git, check=True)
    if tiny:
        params = (path / "params.yaml").read_text(encoding="utf-8")
        for old, new in TINY.items():
            assert old in params, f"params.yaml has no {old!r}"
            params = params.replace(old, new)
        (path / "params.yaml").write_text(params, encoding="utf-8")
    return Clone(path, surroundings)


def snakemake(cores: int, *, threads: int) -> list[str]:
    """Command of a run on some cores, with a fixed number of threads of each network."""
    steps = [f"{step}={threads}" for step in ("train", "evaluate")]
    return ["snakemake", "--cores", str(cores), "--set-threads", *steps, "--"]


def differences(one: Clone, other: Clone) -> list[str]:
    """List the results that differ, or that only one clone has."""
    paths = sorted({*one.digests, *other.digests})
    return [path for path in paths if one.digests.get(path) != other.digests.get(path)]


def explain(one: Clone, other: Clone) -> Iterator[str]:
    """Say of each result that differs why it does, as far as the records tell."""
    differing, jobs = differences(one, other), (one.jobs(), other.jobs())
    for path in differing:
        pair = [of.get(path) for of in jobs]
        if None in pair:
            yield f"{path}: only one run has it"
            continue
        caused = [source for source in pair[0].inputs if source in differing]
        reason = f"its input {caused[0]} differs" if caused else _own_reason(one, other, *pair)
        yield f"{path}: {reason}{_first_difference(one.path / path, other.path / path)}"


def _own_reason(one: Clone, other: Clone, first: Job, second: Job) -> str:
    """Compare two jobs with the same inputs: versions, threads, code, processor."""
    flags, others = flags_of(first.command), flags_of(second.command)
    for name in ("versions", "figure-versions", "table-versions"):
        for mine, theirs in zip(flags.get(name, []), others.get(name, []), strict=False):
            if one.digests.get(mine) != other.digests.get(theirs):
                return f"other versions of libraries, see {mine}"
    if first.code != second.code:
        return "other code"
    changed = [name for name in flags if flags[name] != others.get(name)]
    if changed:
        return ", ".join(f"{name} {flags[name]} and {others.get(name)}" for name in changed)
    machines = {job.note.machine["processor"] for job in (first, second) if job.note}
    if len(machines) > 1:
        return f"other processors: {' and '.join(sorted(machines))}"
    return "same inputs, command, code, versions and processor: its step is not reproducible"


def _first_difference(one: Path, other: Path) -> str:
    """Show two text files from shortly before their first difference on."""
    if one.suffix not in {".csv", ".json", ".md", ".tex"}:
        return ""
    texts = [path.read_text(encoding="utf-8").splitlines() for path in (one, other)]
    for number, (left, right) in enumerate(zip_longest(*texts, fillvalue=""), start=1):
        if left != right:
            pairs = enumerate(zip_longest(left, right))
            start = max(0, next(i for i, (mine, theirs) in pairs if mine != theirs) - 20)
            shown = [f"{line[start : start + 60]!r}" for line in (left, right)]
            return f"; line {number}: {' and '.join(shown)}"
    return ""


def compare_with_lock(clone: Clone) -> Iterator[str]:
    """Say which folders of results are as in dvc.lock, and why others may not be."""
    stages = yaml.safe_load((clone.path / "dvc.lock").read_text(encoding="utf-8"))["stages"]
    changed = {
        out["path"]
        for stage in stages.values()
        for out in stage["outs"]
        if dvc_hash(clone.path / out["path"]) != out["md5"]
    }
    for name, stage in stages.items():
        (out,) = stage["outs"]
        if out["path"] in changed:
            reason = _reason_in_lock(clone, stage, changed)
            yield f"{name}: not as in dvc.lock: {reason}"
        else:
            yield f"{name}: as in dvc.lock"


def _reason_in_lock(clone: Clone, stage: dict, changed: set[str]) -> str:
    """Tell code, inputs or else the machine of a stage whose results are not those of dvc.lock."""
    own = [dep for dep in stage["deps"] if not dep["path"].startswith("results/")]
    if stale := [dep["path"] for dep in own if dvc_hash(clone.path / dep["path"]) != dep["md5"]]:
        return f"it was recorded with other code: {', '.join(stale)}"
    if other := _other_parameters(clone, stage):
        return f"it was recorded with other parameters: {', '.join(other)}"
    read = {dep["path"] for dep in stage["deps"]}
    inputs = [path for path in changed for each in read if f"{each}/".startswith(f"{path}/")]
    if inputs:
        return f"its input {min(inputs)} is not"
    model = clone.path / stage["outs"][0]["path"] / "model.json"
    trained = f" (here: {read_json(model).get('devices')})" if model.exists() else ""
    return f"other versions, threads or processor{trained}"


def _other_parameters(clone: Clone, stage: dict) -> list[str]:
    """List the parameters of a stage in dvc.lock that params.yaml has otherwise."""
    params = yaml.safe_load((clone.path / "params.yaml").read_text(encoding="utf-8"))

    def value(key: str) -> Any:
        return reduce(lambda section, part: section[part], key.split("."), params)

    recorded = stage.get("params", {}).get("params.yaml", {})
    return [key for key, then in recorded.items() if value(key) != then]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true", help="24 clips and one epoch")
    parser.add_argument("--keep", type=Path, help="folder for the clones, which are then kept")
    parser.add_argument("--threads", type=int, default=cores(), help="of each training")
    parser.add_argument("--target", default="all", help="rule or result to make; default: all")
    arguments = parser.parse_args()
    options = {"tiny": arguments.tiny, "target": arguments.target}
    if arguments.keep:
        if arguments.keep.exists():
            sys.exit(f"{arguments.keep} exists; --keep takes a new folder")
        arguments.keep.mkdir(parents=True)
        sys.exit(reproduce(arguments.keep.resolve(), arguments.threads, **options))
    with tempfile.TemporaryDirectory(prefix="reproduce-") as folder:
        sys.exit(reproduce(Path(folder), arguments.threads, **options))


def reproduce(folder: Path, threads: int, *, tiny: bool, target: str) -> int:
    """Run both clones and print the comparison; return the exit code."""
    source = Path.cwd()
    head = ["git", "rev-parse", "HEAD"]
    found = subprocess.run(head, capture_output=True, encoding="utf-8")
    if found.returncode:
        sys.exit(found.stderr.strip() or "git finds no commit here")
    print(f"commit {found.stdout.strip()}; changes that are not committed are left out", flush=True)
    clones = []
    for surroundings in two_surroundings(threads):
        print(surroundings, flush=True)
        clone = make_clone(source, folder, surroundings, tiny=tiny)
        clone.run([*snakemake(surroundings.cores, threads=threads), target])
        clone.measure()
        clones.append(clone)
    one, other = clones
    reasons = [*explain(one, other)]
    same = len(one.digests) - len([path for path in differences(one, other) if path in one.digests])
    print(f"{same} of {len(one.digests)} files in results/ have the same SHA-256 in both clones")
    print(f"networks were trained and scored on {threads} threads in both")
    print(*reasons, sep="\n", end="\n" if reasons else "")
    if not tiny:
        print(*compare_with_lock(one), sep="\n")
    return 1 if reasons else 0


if __name__ == "__main__":
    main()
