"""Versions of the libraries that made a result, in a file next to it.

Neither Snakemake nor DVC notices another version. Two runs with the same versions write the same
file; no other step reads it.
"""

import sys
from collections.abc import Iterable
from functools import cache
from importlib import metadata
from pathlib import Path

from autotagging.common.files import read_json, write_json

VERSIONS = "versions.json"
NOT_INSTALLED = "not installed"


@cache
def version_of(name: str) -> str:
    """Give the version of "python", "libsndfile" or an installed package.

    Of Python only the first two numbers: its later ones change no result. A package that is missing
    is "not installed".
    """
    if name == "python":
        return f"{sys.version_info.major}.{sys.version_info.minor}"
    try:
        if name == "libsndfile":
            import soundfile

            return soundfile.__libsndfile_version__
        return metadata.version(name)
    except (metadata.PackageNotFoundError, ImportError, OSError):
        return NOT_INSTALLED


def versions(*libraries: str) -> dict[str, str]:
    """Give the versions of Python and of some libraries, in alphabetical order."""
    return {name: version_of(name) for name in ("python", *sorted(libraries))}


def write_versions(path: Path, *libraries: str) -> None:
    """Write which versions made a result.

    Parameters
    ----------
    path
        File to write.
    libraries
        Packages, or "libsndfile", that the bytes of the result depend on.
    """
    write_json(versions(*libraries), path)


def join_versions(paths: Iterable[Path], path: Path) -> None:
    """Write the versions of a result's parts; several of one library are separated by commas."""
    found: dict[str, set[str]] = {}
    for part in paths:
        for name, version in read_json(part).items():
            found.setdefault(name, set()).add(str(version))
    write_json({name: ", ".join(sorted(each)) for name, each in found.items()}, path)
