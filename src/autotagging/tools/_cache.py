"""Objects of DVC's cache: files and listings of folders, each named by the MD5 of its content."""

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

from autotagging.common.progress import progress
from autotagging.tools._engines import run

_NAME = re.compile(r"[0-9a-f]{32}(\.dir)?")


def cache_folder() -> Path:
    """Folder of the objects of DVC's cache, relative if it is below here; it may not exist yet."""
    folder = Path(run("dvc", "cache", "dir", capture=True).stdout.strip()) / "files/md5"
    return folder.relative_to(Path.cwd()) if Path.cwd() in folder.parents else folder


def object_path(cache: Path, md5: str) -> Path:
    """Path of the object that has this MD5; that of a listing ends in ".dir"."""
    return cache / md5[:2] / md5[2:]


def files_of(folder: str, listing: Path) -> Iterator[tuple[Path, str]]:
    """Yield path and MD5 of each file in a folder, from DVC's listing; none if it is damaged."""
    try:
        entries = json.loads(listing.read_text(encoding="utf-8"))
        files = [(Path(folder, entry["relpath"]), entry["md5"]) for entry in entries]
    except (ValueError, TypeError, KeyError, RecursionError):
        return
    if all(isinstance(md5, str) for _, md5 in files):
        yield from files


def has_md5(path: Path, md5: str) -> bool:
    """Read a file, and tell whether it is there and has this MD5."""
    return path.is_file() and dvc_hash(path) == md5


def dvc_hash(path: Path) -> str | None:
    """Hash a file, or a folder, as DVC does; None where there is neither."""
    if path.is_file():
        with path.open("rb") as file:
            return hashlib.file_digest(file, "md5").hexdigest()
    if not path.is_dir():
        return None
    files = sorted(
        (file.relative_to(path).parts, file)
        for file in path.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    )
    listing = [{"md5": dvc_hash(file), "relpath": "/".join(parts)} for parts, file in files]
    return hashlib.md5(json.dumps(listing, sort_keys=True).encode()).hexdigest() + ".dir"


def damaged_objects(cache: Path) -> tuple[int, dict[str, Path]]:
    """Read all objects, and find those with another content than their name says.

    Files with other names, such as those of an unfinished download, are left out.

    Returns
    -------
    count
        Number of objects.
    damaged
        Path of each damaged object by its MD5, in alphabetical order.
    """
    objects = {path.parent.name + path.name: path for path in sorted(cache.glob("??/*"))}
    objects = {md5: path for md5, path in objects.items() if _NAME.fullmatch(md5)}
    read = progress(objects.items(), total=len(objects), label="Reading the cache")
    damaged = {md5: path for md5, path in read if not has_md5(path, md5.removesuffix(".dir"))}
    return len(objects), damaged
