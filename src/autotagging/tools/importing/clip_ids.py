"""Ids of the clips of a corpus, which stay when songs are added or removed.

A split of the user names clips by their ids.
"""

from collections import Counter
from pathlib import Path
from unicodedata import normalize

from autotagging.common.errors import UserError
from autotagging.corpus.delimited import read_delimited
from autotagging.corpus.folders import write_table
from autotagging.corpus.paths import CLIP_INFO
from autotagging.tools.importing.cutting import Clip
from autotagging.tools.importing.songs import Song

CLIP_IDS = "clip_ids.csv"
"""File in the corpus folder that has the ids of all imports; a removed song keeps its own."""
_COLUMNS = ("clip_id", "original_url", "segmentStart")


class ClipIds:
    """Ids of an earlier import, and new ones.

    Parameters
    ----------
    folder
        Corpus folder of the earlier import; it may be missing.

    Raises
    ------
    UserError
        The table of the ids can't be read.
    """

    def __init__(self, folder: Path):
        self._known: dict[tuple[str, int, int], int] = {}
        self._given: Counter[tuple[str, int]] = Counter()
        tables = (folder / CLIP_IDS, folder / CLIP_INFO)  # an earlier version wrote the second only
        path = next(filter(Path.is_file, tables), None)
        if path is not None:
            table = read_delimited(path, required=_COLUMNS)
            rows = zip(*(table[name] for name in _COLUMNS), strict=True)
            seen: Counter[tuple[str, int]] = Counter()
            for clip_id, spelt, start in sorted(_whole(path, row) for row in rows):
                name = normalize("NFC", spelt)  # as that of a song
                self._known[name, start, seen[name, start]] = clip_id
                seen[name, start] += 1
        self._last = max(self._known.values(), default=0)

    def number(self, song: Song, clip: Clip) -> int:
        """Give the id of a clip; of several songs with one name, each has its own."""
        place = song.name, clip.start
        key = (*place, self._given[place])
        self._given[place] += 1
        if key not in self._known:
            self._last += 1
            self._known[key] = self._last
        return self._known[key]

    def write(self, folder: Path) -> None:
        """Write the ids to the corpus folder."""
        rows = sorted((clip_id, name, start) for (name, start, _), clip_id in self._known.items())
        write_table(folder / CLIP_IDS, _COLUMNS, rows)


def _whole(path: Path, row: tuple[str, str, str]) -> tuple[int, str, int]:
    clip_id, name, start = row
    if not (clip_id.isdecimal() and start.isdecimal()):
        raise UserError(
            f"{path}: clip_id {clip_id!r}, segmentStart {start!r}; expected whole numbers"
        )
    return int(clip_id), name, int(start)
