"""Read the tags of audio files: artist, album, title, genre and mood."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autotagging.common.errors import UserError

FIELDS = {
    "artist": ("TPE1", "artist"),
    "album": ("TALB", "album"),
    "title": ("TIT2", "title"),
    "genre": ("TCON", "genre"),
    "mood": ("TMOO", "mood"),
}
"""Name of each field in ID3v2.4, and in Vorbis comments and APEv2."""


def read_file_tags(path: Path) -> dict[str, list[str]]:
    """Read the values of each of `FIELDS` in a file; a file without tags has none.

    The genres of ID3 that are numbers, such as (17), become names.

    Raises
    ------
    UserError
        The package mutagen is not installed.
    ValueError
        The tags are damaged.
    OSError
        The file can't be read.
    """
    try:
        import mutagen
    except ModuleNotFoundError:
        raise UserError(
            "reading the tags of audio files needs the package mutagen: pip install -e '.[tag]'"
        ) from None
    try:
        file = mutagen.File(path)
    except mutagen.MutagenError as error:
        if error.args and isinstance(error.args[0], OSError):
            raise error.args[0] from None
        raise ValueError(f"its tags can't be read ({' '.join(str(error).split())})") from None
    tags = None if file is None else file.tags
    if tags is None:
        return {}
    return {name: _values(tags, *keys) for name, keys in FIELDS.items()}


def _values(tags: Mapping[str, Any], frame: str, comment: str) -> list[str]:
    """Values of a field, of the frames of ID3 or of comments."""
    if hasattr(tags, "getall"):
        frames = tags.getall(frame)
        return [str(text) for each in frames for text in getattr(each, "genres", each.text)]
    try:
        return [str(value) for value in tags.get(comment) or ()]
    except ValueError:  # MP4 and APEv2 have no such key
        return []
