"""The two tables of a corpus in MagnaTagATune's format, checked before use (sec. II.A).

Every error names the file, the line in it (the header is line 1) and the expected content.
"""

import difflib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from autotagging.common.errors import UserError
from autotagging.corpus.delimited import read_delimited
from autotagging.corpus.names import unfit_character
from autotagging.corpus.paths import ANNOTATIONS, CLIP_INFO, CLIP_PATH
from autotagging.corpus.raw_tags import RAW_TAGS


def find_table(folder: Path, name: str) -> Path:
    """Path of a table in a corpus folder, plain or gzipped.

    Raises
    ------
    UserError
        The table does not exist in either form.
    """
    for candidate in (folder / name, folder / f"{name}.gz"):
        if candidate.exists():
            return candidate
    raise UserError(f"{folder}: no {name} (nor {name}.gz); expected a corpus folder")


def read_annotations(path: Path) -> pd.DataFrame:
    """Read annotations_final.csv.

    A table with at least half of the official raw tags is treated as the official one, and must
    have all 188 of them and no other column; a table with fewer defines its own vocabulary.

    Parameters
    ----------
    path
        Path of the table, plain or gzipped; see `delimited.read_delimited` for the format.

    Returns
    -------
    annotations : (clips, 2 + raw tags)
        clip_id, mp3_path, then a column of 0 and 1 (uint8) for each raw tag, in the file's order.

    Raises
    ------
    UserError
        The file is damaged, a column is missing, unknown or repeated, a tag has a character that is
        not for names, a label is neither 0 nor 1, an id or path is repeated, or a path is not of
        the form 0/name.mp3.
    """
    names = ("clip_id", "mp3_path")
    table = read_delimited(path, required=names, unique=names)
    tags = [name for name in table.columns if name not in names]
    _check_vocabulary(path, tags)
    clip_id = _clip_ids(path, table["clip_id"])
    _check_paths(path, table["mp3_path"])
    _check_unique(path, table["mp3_path"])
    _check_labels(path, table[tags])
    clips = pd.DataFrame({"clip_id": clip_id, "mp3_path": table["mp3_path"]})
    labels = np.array([table[tag] == "1" for tag in tags], np.uint8)  # (tags, clips)
    return clips.join(pd.DataFrame(labels.T, columns=tags))


def read_clip_info(path: Path) -> pd.DataFrame:
    """Read the path, track, album and artist of each clip from clip_info_final.csv.

    What is blank, empty or white space, is unknown. An unknown url or track number makes the track
    unknown, an unknown artist or album the album. Every other text is a name, "Unknown Artist" too.

    Parameters
    ----------
    path
        Path of the table, plain or gzipped; see `delimited.read_delimited` for the format. Clips
        without a file have an empty mp3_path; the column itself may be missing.

    Returns
    -------
    clip_info : (clips, 5)
        clip_id, mp3_path, track, album, artist; missing (NaN) where unknown. A track is a url and a
        track number, because titles repeat, and the artist where clips of these have several; an
        album is an artist with the album's name.

    Raises
    ------
    UserError
        The file is damaged, a column is missing or repeated, an id or path is repeated, or a path
        is not of the form 0/name.mp3.
    """
    info = read_delimited(path, required=("clip_id", "track_number", "artist", "album", "url"))
    clip_id = _clip_ids(path, info["clip_id"])
    if "mp3_path" not in info:
        info["mp3_path"] = ""
    # Two spellings of an umlaut, as a letter or as a letter and a mark, are one name.
    for name in ("artist", "album", "url"):
        info[name] = info[name].str.normalize("NFC")
    known = info.where(info.apply(lambda column: column.str.strip() != ""))
    given = known["mp3_path"].dropna()
    _check_paths(path, given)
    _check_unique(path, given)
    return pd.DataFrame(
        {
            "clip_id": clip_id,
            "mp3_path": known["mp3_path"],
            "track": _tracks(known),
            "album": known["artist"] + "/" + known["album"],
            "artist": known["artist"],
        }
    )


def _tracks(known: pd.DataFrame) -> pd.Series:
    """Name the track of each clip; the url of another corpus may be that of a whole collection."""
    track = known["url"] + "#" + known["track_number"]
    shared = known["artist"].groupby(track).transform("nunique") > 1
    return track.mask(shared & known["artist"].notna(), known["artist"] + "/" + track)


def compare_tables(
    annotations: pd.DataFrame, clip_info: pd.DataFrame, paths: Sequence[Path]
) -> None:
    """Check that both tables give each clip the same path, and each path the same clip.

    A table whose rows have moved against those of the other passes every other check, and gives
    clips the track, album and artist of others.

    Parameters
    ----------
    annotations, clip_info
        Tables from `read_annotations` and `read_clip_info`; only clips with a path in both are
        compared.
    paths
        Paths of the two tables, for the message.

    Raises
    ------
    UserError
        A clip has two paths, or a path two clips.
    """
    own, other = (
        table[["clip_id", "mp3_path"]].assign(line=np.arange(len(table)) + 2).dropna()
        for table in (annotations, clip_info)
    )
    for key, value in (("clip_id", "mp3_path"), ("mp3_path", "clip_id")):
        both = own.merge(other, on=key, suffixes=("", "_there"))
        wrong = both[both[value] != both[f"{value}_there"]]
        if len(wrong):
            first = wrong.iloc[0]
            raise UserError(
                f"{paths[0]}, line {first['line']}: {key} {first[key]} has {value} {first[value]}, "
                f"but {first[f'{value}_there']} in {paths[1]}, line {first['line_there']}; "
                f"{len(wrong)} of {len(both)} differ, perhaps because the rows of a table have "
                "moved; expected two tables of the same corpus"
            )


def describe_unknown(annotations: pd.DataFrame, clip_info: pd.DataFrame) -> list[str]:
    """Say in lines how many annotated clips have no row in clip_info, or no track, album, artist.

    Parameters
    ----------
    annotations, clip_info
        Tables from `read_annotations` and `read_clip_info`.
    """
    listed = annotations["clip_id"]
    total = len(listed)
    rows = clip_info[clip_info["clip_id"].isin(listed)]
    lines = []
    if clip_info["mp3_path"].isna().all():
        lines.append(f"{CLIP_INFO} has no mp3_path, so it is not compared with {ANNOTATIONS}")
    if missing := total - len(rows):
        lines.append(
            f"{missing} of {total} clips have no row in {CLIP_INFO}: they belong to no track, "
            "album or artist"
        )
    for level in ("track", "album", "artist"):
        if unknown := int(rows[level].isna().sum()):
            lines.append(
                f"{unknown} of {total} clips have a row in {CLIP_INFO} without {level}: they share "
                f"no {level} with other clips"
            )
    return lines


def _check_vocabulary(path: Path, tags: list[str]) -> None:
    """Check the names of the tags; compare them with the official ones, if the table is that."""
    if not tags:
        raise UserError(
            f"{path}, line 1: no tag column; expected at least one next to clip_id and mp3_path"
        )
    for tag in tags:
        if character := unfit_character(tag):
            raise UserError(
                f"{path}, line 1: tag {tag!r} has {character}, a character that is not for names"
            )
    official = set(RAW_TAGS)
    if 2 * len(official.intersection(tags)) < len(official):
        return
    for tag in tags:
        if tag not in official:
            alike = difflib.get_close_matches(tag, official.difference(tags), n=1)
            hint = f", perhaps {alike[0]!r}" if alike else ""
            raise UserError(
                f"{path}, line 1: unknown tag column {tag!r}; expected one of the "
                f"{len(official)} raw tags of MagnaTagATune{hint}"
            )
    for tag in RAW_TAGS:
        if tag not in tags:
            raise UserError(
                f"{path}, line 1: no tag column {tag!r}; expected all {len(official)} raw tags "
                "of MagnaTagATune"
            )


def _check_labels(path: Path, labels: pd.DataFrame) -> None:
    """Raise UserError for the first label, in line order, that is neither 0 nor 1."""
    doubtful = [tag for tag in labels if not {"0", "1"}.issuperset(labels[tag].cat.categories)]
    if doubtful:
        texts = labels[doubtful].astype(str).to_numpy()
        row, column = np.argwhere((texts != "0") & (texts != "1"))[0]
        raise UserError(
            f"{path}, line {row + 2}: tag {doubtful[column]!r} is {texts[row, column]!r}; "
            "expected 0 or 1"
        )


def _clip_ids(path: Path, texts: pd.Series) -> pd.Series:
    """Convert clip ids to integers, which must be unique."""
    whole = texts.str.fullmatch("[0-9]{1,18}").to_numpy()
    if not whole.all():
        row = int(whole.argmin())
        raise UserError(
            f"{path}, line {row + 2}: clip_id is {texts.iloc[row]!r}; expected a whole number"
        )
    clip_id = texts.astype(np.int64)
    _check_unique(path, clip_id)
    return clip_id


def _check_unique(path: Path, values: pd.Series) -> None:
    """Raise UserError for a repeated value; index 0 of `values` is line 2."""
    if (repeated := values.duplicated()).any():
        row = values.index[repeated][0]
        first = values.index[values == values[row]][0]
        raise UserError(
            f"{path}, line {row + 2}: {values.name} {values[row]} appears twice, first in line "
            f"{first + 2}; expected it once"
        )


def _check_paths(path: Path, clips: pd.Series) -> None:
    """Raise UserError for an invalid path; index 0 of `clips` is line 2."""
    good = clips.str.fullmatch(CLIP_PATH.pattern).to_numpy()
    if not good.all():
        row = clips.index[int(good.argmin())]
        raise UserError(
            f"{path}, line {row + 2}: mp3_path is {clips[row]!r}; expected a path like "
            "0/name.mp3, in a folder 0 to f of the corpus"
        )
