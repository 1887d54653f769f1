"""Playlists of tagged songs: extended M3U in UTF-8, one for each tag."""

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from autotagging.common.files import replacing
from autotagging.tagging.outcomes import Outcome

_FIRST_LINES = "#EXTM3U\n# by autotagging\n"
_LONGEST_NAME = 100  # characters


def write_playlists(
    results: Iterable[Mapping[str, Any]], folder: Path
) -> tuple[dict[Path, int], list[Outcome]]:
    """Write a playlist for each tag that a song has, the songs with the best scores first.

    A playlist's paths are relative to the folder. Its name is that of the tag, with the suffix
    .m3u8, which tells players that it is in UTF-8. A playlist that this function has written
    before is replaced, or removed if no song has its tag any more; any other file is not, and the
    number of the new one makes its name unique.

    Parameters
    ----------
    results
        Results of songs: {"path", "seconds", "scores", "tags", ...}; those with an "error" are
        left out. Of several for a file, the last one counts.
    folder
        Folder of the playlists, which is made if it is not there.

    Returns
    -------
    playlists
        Number of songs, by the path of each playlist.
    left_out
        Songs whose path no playlist can have: "unlistable".

    Raises
    ------
    OSError
        The folder or a playlist can't be written.
    """
    songs, left_out = {}, []
    for result in {os.path.realpath(result["path"]): result for result in results}.values():
        path = os.path.abspath(result["path"])
        if "error" in result:
            continue
        if fault := _fault(path):
            left_out.append(Outcome(path, "unlistable", fault))
        else:
            songs[path] = result
    folder.mkdir(parents=True, exist_ok=True)
    playlists: dict[Path, int] = {}
    for tag in sorted({tag for result in songs.values() for tag in result["tags"]}):
        tagged = [path for path, result in songs.items() if tag in result["tags"]]
        tagged.sort(key=lambda path: (-songs[path]["scores"][tag], path))
        playlist = _free_path(folder, tag, playlists)
        with replacing(playlist) as temporary:
            entries = "".join(_entry(path, songs[path], folder) for path in tagged)
            text = f"{_FIRST_LINES}#PLAYLIST:{' '.join(tag.split())}\n{entries}"
            temporary.write_text(text, encoding="utf-8")
        playlists[playlist] = len(tagged)
    _remove_others(folder, playlists)
    return playlists, left_out


def _fault(path: str) -> str | None:
    """Say why no playlist can have a path; None if it can."""
    if "\n" in path or "\r" in path:
        return "its name has a line end"
    try:
        path.encode()
    except UnicodeEncodeError:
        return "its name is not in UTF-8"
    return None


def _entry(path: str, result: Mapping[str, Any], folder: Path) -> str:
    # From where the folder really is: a player takes ".." from there.
    relative = os.path.relpath(path, os.path.realpath(folder))
    if relative.startswith("#"):
        relative = f"./{relative}"
    return f"#EXTINF:{round(result['seconds'])},{Path(path).stem}\n{relative}\n"


def _free_path(folder: Path, tag: str, taken: Iterable[Path]) -> Path:
    """Choose the path of a playlist: no other playlist, and no file of anyone else."""
    name = re.sub(r'[<>:"/\\|?*\x00-\x1f]', "_", tag)[:_LONGEST_NAME].strip(" .") or "_"
    names = {path.name.casefold() for path in taken}
    number = 1
    while True:
        path = folder / (f"{name}.m3u8" if number == 1 else f"{name} {number}.m3u8")
        if path.name.casefold() not in names and (not os.path.lexists(path) or _is_own(path)):
            return path
        number += 1


def _remove_others(folder: Path, written: Iterable[Path]) -> None:
    """Remove playlists of earlier runs, whose tags no song has any more."""
    kept = {path.stat().st_ino for path in written}  # names may differ in capital letters
    for path in folder.glob("*.m3u8"):
        if _is_own(path) and path.stat().st_ino not in kept:
            path.unlink()


def _is_own(path: Path) -> bool:
    """Whether this module wrote a file."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(_FIRST_LINES)) == _FIRST_LINES.encode()
