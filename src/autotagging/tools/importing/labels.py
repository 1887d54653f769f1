"""What a table says about each song: its tags, with their categories, and its groups."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Literal, NamedTuple
from unicodedata import normalize

from autotagging.common.errors import UserError
from autotagging.tagging.spelling import spelling_key
from autotagging.tools.importing.faults import Faults
from autotagging.tools.importing.rows import GROUPS, LISTS, PATH, Row, column_name, read_rows
from autotagging.tools.importing.separators import warn_of_separator

OTHER = "other"
"""Category of tags that have no other; that of the pipeline, too."""


class Tag(NamedTuple):
    """A tag as it is spelt somewhere, with the category that its place gives it."""

    category: str
    name: str


@dataclass(frozen=True)
class TableSettings:
    """How the table of tags is read.

    Attributes
    ----------
    layout
        Layout of the table: long (a row has one tag, in the column tag), lists (a row has lists of
        tags), wide (a column per tag, with 0 and 1), or auto, which tells by the header.
    tag_columns
        Columns with lists of tags; the name is the tags' category. By default those of tags,
        genre, mood, instrument and vocal that the table has.
    separator
        Text between the tags of a list, in the table and in the files' own tags.
    category
        Category of tags without any other, such as genre.
    ignore
        Columns that have no tags.
    """

    layout: Literal["auto", "long", "lists", "wide"] = "auto"
    tag_columns: tuple[str, ...] = ()
    separator: str = ";"
    category: str = OTHER
    ignore: tuple[str, ...] = ()


@dataclass
class Labelled:
    """The row or rows of one song.

    Attributes
    ----------
    where
        Place of its first row, for messages.
    path
        Its path, as written.
    groups
        track, artist, album and title; "" where the table does not say.
    tags
        Its tags.
    """

    where: str
    path: str
    groups: dict[str, str]
    tags: list[Tag]


def clean(text: str) -> str:
    """Text on one line, in NFC, without control characters, and with single spaces."""
    text = normalize("NFC", text)
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def split_list(text: str, separator: str) -> list[str]:
    """Split a list of tags; empty places are left out."""
    return [tag for part in text.split(separator) if (tag := clean(part))]


def has_more_tags(tags: Iterable[Tag], than: Iterable[Tag]) -> bool:
    """Whether some of the tags, however they are spelt, are not among the others."""
    return not {spelling_key(tag.name) for tag in tags} <= {spelling_key(tag.name) for tag in than}


def read_labels(path: Path, settings: TableSettings, faults: Faults) -> list[Labelled]:
    """Read a table of songs and tags, in the order of the first row of each song.

    A warning is printed if lists of tags seem to have another separator, or if columns of 0 and 1
    are not read.

    A song with a row that can't be used is left out as a whole: what the row says of it is not
    known. A row that repeats another one is ignored.

    Parameters
    ----------
    path
        Path of the table; see `rows.read_rows` for the format.
    settings
        How it is read.
    faults
        Receives the rows without path or tag, with a label that is neither 0 nor 1, of a song that
        has another row already (in the long layout: with another artist), and those of
        `read_rows`; and the songs that are left out because of them.

    Raises
    ------
    UserError
        The table as a whole can't be read in this layout.
    """
    if not settings.separator:
        raise UserError("--separator is empty; expected the text between two tags")
    columns, rows, torn = read_rows(path, faults)
    settings = _as_in_header(path, columns, settings)
    columns = [name for name in columns if name not in settings.ignore]
    layout = _layout(path, columns, rows, settings)
    _warn_of_flags(path, columns, rows, layout)
    for column, separator in layout.lists.items():
        lists = [row.cells[column] for row in rows]
        warn_of_separator(f"{path.name}, column {column}", lists, separator)
    songs: dict[str, Labelled] = {}
    unsure = set(torn)
    done: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        name = row.cells[PATH]
        before = done.setdefault(name, [])
        if row.cells in before:
            continue
        before.append(row.cells)
        try:
            if not name:
                raise ValueError("no path")
            _add(songs, row, layout.tags(row), several=isinstance(layout, _Long))
        except ValueError as error:
            faults.add(row.where, str(error))
            unsure.add(name)
    for song in [song for name, song in songs.items() if name in unsure]:
        faults.add(song.where, f"another row of {song.path} can't be used, so the song is left out")
        del songs[song.path]
    return list(songs.values())


def _add(songs: dict[str, Labelled], row: Row, tags: list[Tag], *, several: bool) -> None:
    """Add a row to its song; ValueError if that is not possible."""
    groups = {name: clean(row.cells.get(name, "")) for name in GROUPS}
    song = songs.get(row.cells[PATH])
    if song is None:
        songs[row.cells[PATH]] = Labelled(row.where, row.cells[PATH], groups, tags)
        return
    if not several:
        raise ValueError(f"path {song.path} appears twice, first in {song.where}")
    if differing := [name for name in GROUPS if groups[name] != song.groups[name]]:
        raise ValueError(f"{differing[0]} of {song.path} is another one in {song.where}")
    song.tags += [tag for tag in tags if tag not in song.tags]


class _Long:
    """A row has one tag."""

    lists: ClassVar = {"tag": None}  # its columns of text, and the separator

    def __init__(self, columns: list[str], settings: TableSettings):
        self._has_category = "category" in columns
        self._category = settings.category

    def tags(self, row: Row) -> list[Tag]:
        tag = clean(row.cells["tag"])
        if not tag:
            raise ValueError("no tag")
        own = clean(row.cells["category"]) if self._has_category else ""
        return [Tag(own or self._category, tag)]


class _Lists:
    """A row has lists of tags, each in a column."""

    def __init__(self, columns: list[str], settings: TableSettings):
        self.lists = dict.fromkeys(columns, settings.separator)
        self._settings = settings

    def tags(self, row: Row) -> list[Tag]:
        tags = [
            Tag(self._settings.category if column == LISTS[0] else column, tag)
            for column in self.lists
            for tag in split_list(row.cells[column], self._settings.separator)
        ]
        if not tags:
            raise ValueError("no tag")
        return tags


class _Wide:
    """A row has 0 or 1 for each tag."""

    lists: ClassVar = {}

    def __init__(self, columns: list[str], settings: TableSettings):
        self._columns = columns
        self._category = settings.category

    def tags(self, row: Row) -> list[Tag]:
        for column in self._columns:
            if (value := row.cells[column]) not in ("0", "1"):
                raise ValueError(
                    f"tag {column!r} is {value!r}, expected 0 or 1 (a column that is no tag: "
                    f"--ignore {column!r})"
                )
        return [
            Tag(self._category, clean(column))
            for column in self._columns
            if row.cells[column] == "1"
        ]


def _as_in_header(path: Path, columns: list[str], settings: TableSettings) -> TableSettings:
    """Spell the columns of the settings as the header; UserError if it lacks one."""
    options = {"--tag-columns": settings.tag_columns, "--ignore": settings.ignore}
    for option, names in options.items():
        if missing := [name for name in names if column_name(name) not in columns]:
            raise UserError(f"{path}, line 1: no column {missing[0]!r}, which {option} names")
    tag_columns, ignored = (tuple(map(column_name, names)) for names in options.values())
    if both := [name for name in tag_columns if name in ignored]:
        raise UserError(f"--tag-columns and --ignore both name {both[0]!r}; leave out one of them")
    return replace(settings, tag_columns=tag_columns, ignore=ignored)


def _warn_of_flags(
    path: Path, columns: list[str], rows: list[Row], layout: _Long | _Lists | _Wide
) -> None:
    """Print a warning if columns of 0 and 1, which may be tags, are not read."""
    if isinstance(layout, _Wide) or not rows:
        return
    read = (PATH, *GROUPS, *layout.lists, "category")
    others = [name for name in columns if name not in read]
    if flags := [name for name in others if all(row.cells[name] in ("0", "1") for row in rows)]:
        print(
            f"warning: {path.name}: columns of 0 and 1 that are not read: {len(flags)}, such as "
            f"{flags[0]!r}; --layout wide reads them, with --ignore for columns that are no tags",
            file=sys.stderr,
        )


def _layout(
    path: Path, columns: list[str], rows: list[Row], settings: TableSettings
) -> _Long | _Lists | _Wide:
    """Choose how rows are read, and check that the header has what that needs."""
    lists = list(settings.tag_columns) or [name for name in LISTS if name in columns]
    layout = settings.layout
    if layout == "auto" and settings.tag_columns:
        layout = "lists"
    elif layout == "auto":
        flags = all(row.cells[name] in ("0", "1") for row in rows for name in lists)
        layout = "long" if "tag" in columns else "wide" if flags else "lists"
    if layout == "long" and "tag" not in columns:
        raise UserError(f"{path}, line 1: no column 'tag'; the layout long needs it")
    if layout == "long":
        return _Long(columns, settings)
    if layout == "lists" and not lists:
        raise UserError(
            f"{path}, line 1: none of the columns {', '.join(LISTS)}; name those with lists of "
            "tags by --tag-columns"
        )
    if layout == "lists":
        return _Lists(lists, settings)
    tags = [name for name in columns if name not in (PATH, *GROUPS)]
    if not tags:
        raise UserError(
            f"{path}, line 1: no tags; expected a column 'tag', columns with lists such as "
            "'genre', or a column of 0 and 1 for each tag"
        )
    return _Wide(tags, settings)
