"""Read the tags of audio files: genre and mood as `apply` writes them; artist, album and title."""

from pathlib import Path

import mutagen
from mutagen.mp4 import MP4

from autotagging.tagging.file_tags import read_file_tags
from autotagging.tagging.outcomes import RefusedError

_KEYS = {
    "artist": ("TPE1", "\xa9ART", "artist"),
    "album": ("TALB", "\xa9alb", "album"),
    "title": ("TIT2", "\xa9nam", "title"),
}
"""Name of each field in ID3v2, MP4, and Vorbis comments."""


def read_song_tags(path: Path) -> dict[str, list[str]]:
    """Read genre, mood, artist, album and title of a file; without tags, they have no values.

    The genres of ID3 that are numbers, such as (17), become names.

    Raises
    ------
    ValueError
        The tags are damaged, or the file can't be read.
    """
    try:
        found = read_file_tags(path)
        own = {"genre": [*found.genre], "mood": [*found.mood]}
        return own | _names(mutagen.File(path))
    except RefusedError as error:
        if error.reason == "unsupported":  # a format without tags, such as CAF
            return {}
        raise ValueError(str(error)) from None
    except Exception as error:  # mutagen raises many kinds
        text = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"its tags can't be read ({text})") from None


def _names(file) -> dict[str, list[str]]:
    """Values of artist, album and title in a file that mutagen has opened."""
    tags = getattr(file, "tags", None)
    if tags is None:
        return {}
    if hasattr(tags, "getall"):  # ID3
        values = {
            name: [text for frame in tags.getall(key) for text in frame.text]
            for name, (key, _, _) in _KEYS.items()
        }
    else:
        place = 1 if isinstance(file, MP4) else 2
        values = {name: tags.get(keys[place]) or () for name, keys in _KEYS.items()}
    return {name: [str(value) for value in found] for name, found in values.items()}
