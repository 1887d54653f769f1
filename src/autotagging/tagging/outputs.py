"""Show and write the results of songs: a table for people, and CSV."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from autotagging.common.files import replacing
from autotagging.common.progress import duration
from autotagging.tagging.bundle import Description
from autotagging.tagging.printable import printable

_BAR = 20
UNTAGGED = "untagged"


def table(name: str, result: Mapping[str, Any], described: Description, *, top: int) -> str:
    """Write the best tags of a song as bars; those at or above their threshold are marked.

    Parameters
    ----------
    name
        Name of the song to show.
    result
        Result of the song, without an error.
    described
        The tagger, with its thresholds.
    top
        Number of tags; tags above their threshold are always shown.
    """
    lines = heading(name, result)
    scores, chosen = result["scores"], {*result["tags"]}
    best = sorted(scores, key=lambda tag: -scores[tag])
    shown = [tag for place, tag in enumerate(best) if place < top or tag in chosen]
    width = max(map(len, shown), default=0)
    for tag in shown:
        mark = "*" if tag in chosen else " "
        lines.append(
            f"  {mark} {printable(tag):{width}}  {_bar(scores[tag])}  {scores[tag]:.2f}"
            f"  threshold {described.threshold(tag):.2f}"
        )
    return "\n".join(lines)


def heading(name: str, result: Mapping[str, Any]) -> list[str]:
    """Write lines with the name, length and tags of a song, and its warning if it has one."""
    lines = [f"{printable(name)}  {duration(result['seconds'])}  {in_words(result)}"]
    if "warning" in result:
        lines.append(f"  only the beginning: {printable(result['warning'])}")
    return lines


def line(name: str, result: Mapping[str, Any]) -> str:
    """Write a result as a line: the song, and its tags or its error."""
    if "error" in result:
        error = result["error"]
        return printable(f"{name}: {error['type']}: {error['message']}")
    return f"{printable(name)}: {in_words(result)}"


def in_words(result: Mapping[str, Any]) -> str:
    """List the tags of a result as a terminal may show them, the best first, or "untagged"."""
    return printable(", ".join(result["tags"])) or UNTAGGED


def _bar(score: float) -> str:
    filled = round(score * _BAR)
    return "█" * filled + "·" * (_BAR - filled)


def csv_lines(results: Iterable[Mapping[str, Any]], tags: Iterable[str]) -> Iterator[str]:
    """Write results as CSV, a line at a time.

    The columns are path, error (its type), seconds, windows, tags (separated by "; ") and the score
    of each tag.
    """
    tags = list(tags)
    yield csv_line(["path", "error", "seconds", "windows", "tags", *tags])
    for result in results:
        if "error" in result:
            yield csv_line([result["path"], result["error"]["type"], *[""] * (3 + len(tags))])
            continue
        found = [result["path"], "", result["seconds"], result["windows"]]
        found.append("; ".join(result["tags"]))
        yield csv_line([*found, *(result["scores"][tag] for tag in tags)])


def csv_line(row: Iterable[Any]) -> str:
    """Write a row as CSV."""
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerow(row)  # a carriage return is quoted only if it is in the line's end
    return buffer.getvalue().removesuffix("\r\n") + "\n"


def write_lines(lines: Iterable[str], path: Path) -> None:
    """Write lines to a file, completely or not at all; names that are not text keep their bytes."""
    with (
        replacing(path) as temporary,
        temporary.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file,
    ):
        file.writelines(lines)
