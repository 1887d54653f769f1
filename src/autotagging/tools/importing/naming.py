"""The vocabulary of an import: one spelling for each tag, its category, and synonyms."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from autotagging.common.errors import UserError
from autotagging.common.files import replacing
from autotagging.labels.tags import STRUCTURE, SynonymError, find_category, merged_names
from autotagging.labels.vocabulary import read_vocabulary
from autotagging.tagging.spelling import spelling_key
from autotagging.tools.importing.labels import OTHER
from autotagging.tools.importing.songs import Song

_HEAD = """\
# Vocabulary of this corpus. Under synonyms, a tag's name and the tags that are merged into it:
#
#   synonyms:
#     hip hop: [hip hop, rap]
#
# The category of tags in none of the lists is "other".
"""


@dataclass(frozen=True)
class TagSettings:
    """Which tags an import keeps.

    Attributes
    ----------
    vocabulary
        Vocabulary to use: a tags.yaml, such as that of an earlier import after it was edited.
    leave_out
        Tags to leave out, such as Unknown; capitals do not matter.
    min_songs
        Number of songs below which a tag is left out, unless the vocabulary merges it into another.
    """

    vocabulary: Path | None = None
    leave_out: tuple[str, ...] = ()
    min_songs: int = 1


@dataclass(frozen=True)
class Named:
    """The tags of an import.

    Attributes
    ----------
    tags
        Names of the tags, the most frequent first.
    of_song
        Tags of each song, in the order of the songs; empty where none is left.
    songs
        Number of songs of each tag.
    spellings
        Other spellings of each tag that has some.
    categories
        Tags of each category, in alphabetical order.
    synonyms
        Tags to merge, by the name of the merged tag.
    """

    tags: list[str]
    of_song: list[frozenset[str]]
    songs: dict[str, int]
    spellings: dict[str, list[str]]
    categories: dict[str, list[str]]
    synonyms: dict[str, list[str]]


def name_tags(songs: Sequence[Song], settings: TagSettings) -> Named:
    """Name the tags of the songs.

    Tags that differ only in capitals, spaces, hyphens and underscores are one tag. Its name is the
    spelling in the vocabulary, or else that of most songs; its category is that in the vocabulary,
    or else that of most songs.

    Parameters
    ----------
    songs
        Songs with their tags as they are spelt somewhere.
    settings
        Which tags are kept.

    Raises
    ------
    UserError
        The vocabulary has a synonym that is no tag of the songs, or can't be read; a tag has the
        name of another column; a category is "all", which stands for all tags in results; or no
        tag is left.
    """
    of_song, spelt, placed = _count(songs, {"", *map(spelling_key, settings.leave_out)})
    counts = Counter(key for found in of_song for key in found)
    vocabulary = _Vocabulary(settings.vocabulary)
    keys = [
        key
        for key, count in counts.items()
        if count >= settings.min_songs or key in vocabulary.merged
    ]
    if not keys:
        raise UserError("no tag is left; a smaller --min-songs keeps more")
    name_of = {key: vocabulary.names.get(key) or _most(spelt[key]) for key in keys}
    for name in name_of.values():
        if name in STRUCTURE:
            raise UserError(f"tag {name!r} has the name of another column; rename it")
    tags = [name_of[key] for key in sorted(keys, key=lambda key: (-counts[key], name_of[key]))]
    vocabulary.check(tags)
    category_of = {name_of[key]: _most(placed[key]) for key in keys}
    categories = vocabulary.categories(tags, category_of)
    if "all" in categories:
        raise UserError(
            f"tag {categories['all'][0]!r} has the category 'all', which means all tags; change "
            "--category, the name of the column in --tag-columns, or the column category"
        )
    return Named(
        tags=tags,
        of_song=[frozenset(name_of[key] for key in found if key in name_of) for found in of_song],
        songs={name_of[key]: counts[key] for key in keys},
        spellings={
            name_of[key]: others
            for key in keys
            if (others := sorted(set(spelt[key]) - {name_of[key]}))
        },
        categories=categories,
        synonyms=vocabulary.synonyms,
    )


def _count(
    songs: Sequence[Song], left_out: set[str]
) -> tuple[list[set[str]], dict[str, Counter[str]], dict[str, Counter[str]]]:
    """Give the keys of each song's tags; and by key, the songs of each spelling and category."""
    of_song = []
    spelt: dict[str, Counter[str]] = defaultdict(Counter)
    placed: dict[str, Counter[str]] = defaultdict(Counter)
    for song in songs:
        kept = {
            (spelling_key(tag.name), *tag)
            for tag in song.tags
            if spelling_key(tag.name) not in left_out
        }
        of_song.append({key for key, _, _ in kept})
        for key, name in {(key, name) for key, _, name in kept}:
            spelt[key][name] += 1
        for key, category in {(key, category) for key, category, _ in kept}:
            placed[key][category] += 1
    return of_song, spelt, placed


def write_vocabulary(named: Named, path: Path) -> None:
    """Write tags.yaml, in the form that merge_tags reads."""
    content = {"synonyms": named.synonyms, "categories": named.categories}
    with replacing(path) as temporary:
        text = yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=100)
        temporary.write_text(_HEAD + text, encoding="utf-8")


class _Vocabulary:
    """The vocabulary that the user gives; it is empty without a file."""

    def __init__(self, path: Path | None):
        self._known = read_vocabulary(path) if path else None
        self.synonyms = self._known.synonyms if path else {}
        self._category_of = self._known.category_of if path else {}
        merged = {spelling_key(tag): tag for group in self.synonyms.values() for tag in group}
        self.merged = set(merged)
        # Raw tags come last, because the name of a group may be another spelling of one.
        self.names = {spelling_key(tag): tag for tag in self._category_of} | merged

    def check(self, tags: list[str]) -> None:
        """Raise UserError unless the synonyms can be merged in these tags."""
        try:
            merged_names(tags, self.synonyms)
        except SynonymError as error:
            line = self._known.line(error.group, error.tag)
            raise UserError(f"{self._known.path}, line {line}: {error}") from error

    def categories(self, tags: Iterable[str], own: dict[str, str]) -> dict[str, list[str]]:
        """List the tags by category; `own` is that of tags which the file does not place."""
        category_of = {**own, **self._category_of}
        for name, group in self.synonyms.items():
            of_file = find_category(name, self.synonyms, self._category_of)
            category_of[name] = of_file or own.get(name, category_of[group[0]])
        lists = defaultdict(list)
        for tag in sorted({*tags, *self.synonyms}):
            lists[category_of[tag]].append(tag)
        return {name: lists[name] for name in sorted(lists, key=lambda name: (name == OTHER, name))}


def _most(counts: Counter[str]) -> str:
    """Most frequent text; of several, the first in alphabetical order, other than "other"."""
    return min(counts, key=lambda text: (-counts[text], text == OTHER, text))
