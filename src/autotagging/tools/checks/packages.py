"""Python, and the installed packages compared with requirements.lock."""

import platform
import re
import shlex
import sys
import tomllib
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from autotagging.tools.checks import Check
from autotagging.training.settings import GPU_PACKAGE

OLDEST, NEWEST = (3, 11), (3, 13)
"""Versions of Python that pyproject.toml has."""
_LOCK, _GPU_LOCK = Path("requirements.lock"), Path("requirements-gpu.lock")
_SHOWN = 5


def check_python() -> Check:
    """Check the version of Python."""
    found = f"{platform.python_version()}, {sys.executable}"
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        return Check("python", found)
    needed = f"{'.'.join(map(str, OLDEST))} to {'.'.join(map(str, NEWEST))}"
    return Check("python", f"{found}; needed: {needed}", "make PYTHON=python3.12")


def tagger_alone() -> bool:
    """Tell whether this is an installation of the tagger, without any part of the pipeline."""
    pipeline = any(map(find_spec, ("dvc", "snakemake", "tensorflow")))
    return not pipeline and find_spec("onnxruntime") is not None


def check_packages() -> Check:
    """Compare the installed packages with the lock; each package that the project needs is there.

    What only development needs may be missing.
    """
    lock = lock_in_use()
    if not lock.exists():
        return Check("packages", f"no {lock} here", "cd to the folder of the project")
    pins = read_lock(lock)
    installed = {name: _version(name) for name in pins}
    missing = [name for name in _direct() if installed.get(name, _version(name)) is None]
    other = [
        f"{name} {installed[name]}, {lock} has {version}"
        for name, version in pins.items()
        if installed[name] not in (None, version)
    ]
    faults = [f"{name} is not installed" for name in missing] + other
    if not faults:
        count = sum(version is not None for version in installed.values())
        return Check("packages", f"{count} as in {lock}")
    more = f"; and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
    return Check("packages", "; ".join(faults[:_SHOWN]) + more, install())


def install(lock: Path | None = None) -> str:
    """Give the command that installs what a lock has, by default the one in use."""
    python = shlex.quote(sys.executable)
    return f"{python} -m pip install --require-hashes -r {lock or lock_in_use()}"


def lock_in_use() -> Path:
    """Give the lock that was installed: that for GPUs if NVIDIA's libraries are there."""
    return _LOCK if _version(GPU_PACKAGE) is None else _GPU_LOCK


def read_lock(path: Path) -> dict[str, str]:
    """Read the version of each package in a lock, by name."""
    pin = re.compile(r"^([a-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)
    return dict(pin.findall(path.read_text(encoding="utf-8")))


def _direct() -> list[str]:
    """Name the packages that pyproject.toml requires for the pipeline."""
    path = Path("pyproject.toml")
    if not path.exists():
        return []
    project = tomllib.loads(path.read_text(encoding="utf-8"))["project"]
    required = [*project["dependencies"], *project["optional-dependencies"]["pipeline"]]
    return [re.match(r"[\w.-]+", each).group() for each in required]


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
