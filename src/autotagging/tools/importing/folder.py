"""Write the folder of a corpus: as a whole, and over no other folder than one of these."""

import os
import re
from collections.abc import Iterator
from hashlib import sha256
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any
from unicodedata import normalize

from autotagging.common.errors import UserError
from autotagging.common.files import read_json, write_json
from autotagging.common.files import sha256 as sha256_of
from autotagging.corpus.folders import CLIP_INFO_COLUMNS, write_table
from autotagging.corpus.paths import ANNOTATIONS, CLIP_INFO, VOCABULARY
from autotagging.corpus.tables import compare_tables, read_annotations, read_clip_info
from autotagging.tagging.outputs import csv_line
from autotagging.tools.importing.clip_ids import CLIP_IDS, ClipIds
from autotagging.tools.importing.cutting import Clip
from autotagging.tools.importing.faults import Fault
from autotagging.tools.importing.naming import Named, write_vocabulary
from autotagging.tools.importing.songs import Song

RECEIPT = "import_corpus.json"
"""File that tells a folder which this module wrote."""
LEFT_OUT = "left_out.csv"
FOLDERS = "0123456789abcdef"
_OWN = {*FOLDERS, ANNOTATIONS, CLIP_INFO, CLIP_IDS, VOCABULARY, RECEIPT, LEFT_OUT}
_LONGEST_STEM = 120  # bytes of the part of a name that tells the song


def check_place(folder: Path, *, replace: bool, keep_vocabulary: bool) -> None:
    """Check that a corpus may be written here.

    Parameters
    ----------
    folder
        Folder to write.
    replace
        Whether a corpus of an earlier import may be replaced.
    keep_vocabulary
        Whether its vocabulary is safe, because one was given.

    Raises
    ------
    UserError
        The folder is something else, has files of others, or a vocabulary that would be lost.
    """
    if not os.path.lexists(folder):
        return
    if not folder.is_dir() or folder.is_symlink():
        raise UserError(f"{folder}: no folder; name another for --out")
    found = sorted(path.name for path in folder.iterdir())
    if not found:
        return
    if RECEIPT not in found:
        raise UserError(f"{folder}: no corpus of this command, so it is not replaced; name another")
    clips = (path for name in FOLDERS for path in (folder / name).glob("*"))
    if foreign := [*sorted({*found} - _OWN), *(str(p) for p in clips if p.suffix != ".flac")]:
        raise UserError(f"{folder}: {foreign[0]} is not of this command; move it away first")
    if not replace:
        raise UserError(f"{folder}: there is a corpus already; --replace replaces it")
    receipt = read_json(folder / RECEIPT, vocabulary_sha256=str)
    vocabulary = folder / VOCABULARY
    if _is_edited(vocabulary, receipt["vocabulary_sha256"]) and not keep_vocabulary:
        raise UserError(
            f"{vocabulary} was edited and would be lost; keep it with --vocabulary {vocabulary}, "
            "or delete it"
        )
    for name, digest in receipt.get("tables_sha256", {}).items():
        if _is_edited(folder / name, digest):
            raise UserError(
                f"{folder / name} was edited and would be lost; move it away, and edit the table "
                "or the files that are imported"
            )


def _is_edited(path: Path, digest: str) -> bool:
    """Tell whether a file is there, and not as it was written."""
    return path.exists() and sha256_of(path) != digest


def stem(song: Song, number: int) -> str:
    """Beginning of the paths of a song's clips, such as "f/artist-title-000012".

    All songs of an artist are in one folder, so that the split by folders keeps them together.
    """
    group = song.artist or song.album or song.track
    names = (song.artist, song.title or Path(song.name).stem)
    names = (normalize("NFC", name) for name in names if name)
    text = "-".join(re.sub(r"\W+", "_", name).strip("_") for name in names)
    short = text.lower().encode()[:_LONGEST_STEM].decode(errors="ignore")
    return f"{sha256(group.encode()).hexdigest()[0]}/{short}-{number:06}"


def write_tables(
    folder: Path,
    songs: list[Song],
    clips: list[tuple[Clip, ...]],
    named: Named,
    left_out: list[Fault],
    receipt: dict[str, Any],
    ids: ClipIds,
) -> None:
    """Write the tables of a corpus and its vocabulary, and read the tables as `download` does.

    Rows are in the order of the clips' ids.

    Parameters
    ----------
    folder
        Folder of the corpus.
    songs, clips
        Songs, and the clips of each.
    named
        Their tags, in the same order.
    left_out
        Rows and files that were left out.
    receipt
        What to note about the import.
    ids
        Ids of the clips.
    """
    paths = [folder / ANNOTATIONS, folder / CLIP_INFO]
    columns = ("clip_id", *named.tags, "mp3_path")
    rows = sorted(
        (ids.number(song, clip), number, clip)
        for number, (song, cut) in enumerate(zip(songs, clips, strict=True))
        for clip in cut
    )
    write_table(paths[0], columns, _annotation_rows(rows, named))
    write_table(paths[1], CLIP_INFO_COLUMNS, _info_rows(rows, songs))
    compare_tables(read_annotations(paths[0]), read_clip_info(paths[1]), paths)
    write_vocabulary(named, folder / VOCABULARY)
    if left_out:
        path = folder / LEFT_OUT  # names of files may have bytes that are no text
        with path.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file:
            file.writelines(map(csv_line, [Fault._fields, *left_out]))
    ids.write(folder)
    written = {
        "vocabulary_sha256": sha256_of(folder / VOCABULARY),
        "tables_sha256": {path.name: sha256_of(path) for path in paths},
    }
    write_json({**receipt, **written}, folder / RECEIPT)


def _annotation_rows(rows: list[tuple[int, int, Clip]], named: Named) -> Iterator[tuple]:
    """Yield rows of annotations_final.csv, from the id, number of the song, and clip of each."""
    for number, of_song in groupby(rows, key=itemgetter(1)):
        tags = named.of_song[number]
        labels = [int(tag in tags) for tag in named.tags]
        for clip_id, _, clip in of_song:
            yield clip_id, *labels, clip.mp3_path


def _info_rows(rows: list[tuple[int, int, Clip]], songs: list[Song]) -> Iterator[tuple]:
    """Yield rows of clip_info_final.csv, as `_annotation_rows`."""
    for clip_id, number, clip in rows:
        song = songs[number]
        names = (1, song.title, song.artist, song.album, song.track)
        yield clip_id, *names, clip.start, clip.end, song.name, clip.mp3_path
