"""The user's vocabulary: groups of synonyms, and categories of tags (sec. II.A)."""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from unicodedata import normalize

import yaml

from autotagging.common.errors import UserError
from autotagging.common.strict_yaml import compose
from autotagging.corpus.names import unfit_character

_SECTIONS = ("synonyms", "categories")


@dataclass(frozen=True)
class Vocabulary:
    """Vocabulary of a corpus.

    Attributes
    ----------
    path
        File that it was read from.
    synonyms
        Raw tags to merge, by the name of the merged tag.
    category_of
        Category of each tag that has one.
    lines
        Line of each raw tag in the file, by group and tag.
    category_lines
        Line of each tag that has a category.
    """

    path: Path
    synonyms: dict[str, list[str]]
    category_of: dict[str, str]
    lines: dict[tuple[str, str], int]
    category_lines: dict[str, int]

    def line(self, group: str, tag: str) -> int:
        """Line on which a group names a tag, or else that of the group's first tag."""
        first = self.lines[group, self.synonyms[group][0]]
        return self.lines.get((group, tag), first)

    def warn_of_unknown(self, raw_tags: Iterable[str]) -> None:
        """Warn of categories of tags that are neither raw nor merged, such as misspelt ones."""
        known = {*raw_tags, *self.synonyms}
        if unknown := [tag for tag in self.category_of if tag not in known]:
            first, *others = unknown
            line, category = self.category_lines[first], self.category_of[first]
            more = f", nor {len(others)} more under categories" if others else ""
            print(
                f"warning: {self.path}, line {line}: category {category!r}: the corpus has no tag "
                f"{first!r}{more}",
                file=sys.stderr,
            )


def read_vocabulary(path: Path) -> Vocabulary:
    """Read a vocabulary from YAML: lists of tags by name, under synonyms and categories.

    Names and tags are the text in the file, in NFC as those of the corpus: `no`, `1980` and `null`
    are tags like any other.

    Raises
    ------
    UserError
        The file is not such a vocabulary, or a name or tag appears twice, or has a character that
        is not for names, see `corpus.names`.
    """
    top = dict(_entries(path, _compose(path), "top level", yaml.MappingNode))
    for name in _SECTIONS:
        if name not in top:
            raise UserError(
                f"{path}: no {name!r}; expected mappings of lists under {' and '.join(_SECTIONS)}"
            )
    synonyms, lines = _read_lists(path, top["synonyms"], "synonyms")
    categories, places = _read_lists(path, top["categories"], "categories")
    if "all" in categories:
        raise UserError(f"{path}: a category is named 'all', which means all tags; rename it")
    return Vocabulary(
        path=path,
        synonyms=synonyms,
        category_of={tag: name for name, tags in categories.items() for tag in tags},
        lines=lines,
        category_lines={tag: line for (_, tag), line in places.items()},
    )


def _compose(path: Path) -> yaml.Node | None:
    """Parse the file without giving its texts other types."""
    content = path.read_bytes()
    try:
        return compose(yaml.SafeLoader(content))
    except yaml.MarkedYAMLError as error:
        line, reason = error.problem_mark.line + 1, error.problem or error.context
    except yaml.reader.ReaderError as error:
        before = content[: error.position] if isinstance(error.position, int) else b""
        line, reason = before.count(b"\n") + 1, error.reason
    raise UserError(f"{path}, line {line}: {reason}; expected YAML in UTF-8")


def _read_lists(
    path: Path, section: yaml.Node, name: str
) -> tuple[dict[str, list[str]], dict[tuple[str, str], int]]:
    """Read lists of tags by name, and the line of each tag; no tag may appear twice."""
    lists, lines = {}, {}
    group_of: dict[str, str] = {}
    for group, members in _entries(path, section, name, yaml.MappingNode):
        lists[group] = []
        for tag, node in _entries(path, members, f"{name}: {group!r}", yaml.SequenceNode):
            line = node.start_mark.line + 1
            if tag in group_of:
                where = f"{name}: {group_of[tag]!r} and {group!r}"
                raise UserError(f"{path}, line {line}: tag {tag!r} appears twice, in {where}")
            group_of[tag] = group
            lists[group].append(tag)
            lines[group, tag] = line
    return lists, lines


def _entries(
    path: Path, node: yaml.Node | None, name: str, kind: type[yaml.CollectionNode]
) -> Iterator[tuple[str, yaml.Node]]:
    """Yield names and values of a mapping, or texts of a list and their nodes."""
    is_mapping = kind is yaml.MappingNode
    if not isinstance(node, kind) or not (node.value or is_mapping):
        expected = "a mapping of lists, {} if it has none" if is_mapping else "a list of tags"
        line = node.start_mark.line + 1 if node else 1
        raise UserError(f"{path}, line {line}: {name}: expected {expected}")
    seen = set()
    for entry in node.value:
        key, value = entry if is_mapping else (entry, entry)
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode) or not key.value.strip():
            raise UserError(f"{path}, line {line}: {name}: expected a text")
        text = normalize("NFC", key.value)
        if character := unfit_character(text):
            raise UserError(
                f"{path}, line {line}: {text!r} has {character}, a character that is not for names"
            )
        if is_mapping and text in seen:
            raise UserError(f"{path}, line {line}: {text!r} appears twice; expected it once")
        seen.add(text)
        yield text, value
