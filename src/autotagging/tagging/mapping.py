"""What is written into a file for the tags of a model: a mapping, in TOML.

mapping.toml, next to this module, describes the format; it also holds for whatever a user's own
mapping leaves out.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autotagging.common.errors import UserError
from autotagging.tagging.file_tags import FIELDS
from autotagging.tagging.spelling import spelling_key

SHIPPED = Path(__file__).with_name("mapping.toml")

_NO_FIELD = "nothing"
_PARTS = ("exclude", "title_case", "fields", "most", "tags")


@dataclass(frozen=True)
class TagMapping:
    """What is written for the tags of one model.

    Attributes
    ----------
    written
        Values by field, by tag of the model; tags for which nothing is written are left out.
    most
        Maximum number of values by field.
    unknown
        Tags that the user's mapping names but the model lacks.
    """

    written: Mapping[str, Mapping[str, tuple[str, ...]]]
    most: Mapping[str, int]
    unknown: tuple[str, ...]

    def values(self, tags: Iterable[str], field: str) -> tuple[str, ...]:
        """Values of a field for the tags of a song, in the order of the tags, each once."""
        found: dict[str, str] = {}
        for tag in tags:
            for value in self.written.get(tag, {}).get(field, ()):
                found.setdefault(spelling_key(value), value)
        return (*found.values(),)[: self.most[field]]


def read_mapping(path: Path | None, categories: Mapping[str, str]) -> TagMapping:
    """Read a mapping for the tags of a model.

    Parameters
    ----------
    path
        TOML file of the user; None: the mapping that the package has.
    categories
        Category of each tag of the model, by tag.

    Raises
    ------
    UserError
        The file is not TOML, or has an entry that is not as described.
    OSError
        It can't be read.
    """
    shipped = _read(SHIPPED)
    own = {} if path is None else _read(path)
    fields = {**shipped["fields"], **own.get("fields", {})}
    titled = own.get("title_case", shipped["title_case"])
    excluded = _spellings(own.get("exclude", shipped["exclude"]))
    single = {**_by_spelling(shipped["tags"]), **_by_spelling(own.get("tags", {}))}
    written = {}
    for tag, category in categories.items():
        by_category = {fields.get(category, _NO_FIELD): (_title(tag) if titled else tag,)}
        values = single.get(spelling_key(tag), by_category)
        if spelling_key(tag) not in excluded:
            written[tag] = {field: values[field] for field in FIELDS if field in values}
    known = _spellings(categories)
    named = [*own.get("exclude", []), *own.get("tags", {})]
    return TagMapping(
        {tag: values for tag, values in written.items() if values},
        {**shipped["most"], **own.get("most", {})},
        tuple(tag for tag in named if spelling_key(tag) not in known),
    )


def _spellings(tags: Iterable[str]) -> set[str]:
    return {spelling_key(tag) for tag in tags}


def _by_spelling(tags: Mapping[str, Any]) -> dict[str, dict[str, tuple[str, ...]]]:
    return {
        spelling_key(tag): {
            field: (value,) if isinstance(value, str) else (*value,)
            for field, value in values.items()
        }
        for tag, values in tags.items()
    }


def _title(tag: str) -> str:
    """Give each word a capital letter, and leave others as they are: R&B, 90s, Hip-Hop."""
    return re.sub(r"(?:^|(?<=[\s/&(-]))\w", lambda found: found.group().upper(), tag)


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            content = tomllib.load(file)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: not valid TOML ({error})") from error
    for part, value in content.items():
        if fault := _fault(part, value):
            raise UserError(f"{path}: {fault}")
    return content


def _fault(part: str, value: Any) -> str | None:
    """Say what is wrong with a part of a mapping; None if nothing is."""
    if part not in _PARTS:
        return f"{part!r} is no part of a mapping; parts are {', '.join(_PARTS)}"
    if part == "title_case":
        return None if isinstance(value, bool) else "title_case is true or false"
    if part == "exclude":
        return None if _texts(value) else "exclude is a list of tags"
    if not isinstance(value, dict):
        return f"{part} is a table: [{part}], then a line for each entry"
    check = {"fields": _fault_of_field, "most": _fault_of_most, "tags": _fault_of_tag}[part]
    return next(filter(None, (check(name, entry) for name, entry in value.items())), None)


def _fault_of_field(category: str, field: Any) -> str | None:
    allowed = (*FIELDS, _NO_FIELD)
    return None if field in allowed else f"[fields] {category}: one of {', '.join(allowed)}"


def _fault_of_most(field: str, number: Any) -> str | None:
    if field not in FIELDS:
        return f"[most] {field!r} is no field; fields are {', '.join(FIELDS)}"
    right = type(number) is int and number > 0
    return None if right else f"[most] {field}: a whole number from 1 on"


def _fault_of_tag(tag: str, values: Any) -> str | None:
    right = isinstance(values, dict) and all(
        field in FIELDS and (_texts([value]) or _texts(value)) for field, value in values.items()
    )
    if right and values:
        return None
    return f'[tags] {tag!r}: such as {{ genre = "Hip-Hop" }} or {{ mood = ["Calm", "Relaxed"] }}'


def _texts(values: Any) -> bool:
    """Whether these are texts that a file can have as values."""
    return isinstance(values, list) and all(map(is_value, values))


def is_value(text: Any) -> bool:
    """Whether this is a text that a file can have as a value: printable, and not only spaces."""
    return isinstance(text, str) and text.isprintable() and text == text.strip() != ""
