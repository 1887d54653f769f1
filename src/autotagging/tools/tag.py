"""Tag songs with a trained network: the command `autotagging tag`."""

import shlex
import sys
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from autotagging.common.counting import counted
from autotagging.common.errors import UserError
from autotagging.common.files import print_data, replacing
from autotagging.common.progress import progress
from autotagging.tagging.bundle import Description, model_files
from autotagging.tagging.finding import Found, find_songs
from autotagging.tagging.jams import jams as as_jams
from autotagging.tagging.mapping import TagMapping, read_mapping
from autotagging.tagging.outcomes import Outcome, refusal
from autotagging.tagging.outputs import csv_lines, line, table, write_lines
from autotagging.tagging.plans import Existing, is_plan, make_plan, write_plan
from autotagging.tagging.playlists import write_playlists
from autotagging.tagging.pool import Work, tag_songs
from autotagging.tagging.printable import printable
from autotagging.tagging.processes import check_timeout
from autotagging.tagging.results import Results, Settings, to_line
from autotagging.tagging.songs import checked_hop
from autotagging.tools._machine import cores
from autotagging.tools._song_outputs import check_outputs
from autotagging.tools._tagger import chosen_model

_STANDARD_OUTPUT = Path("-")
_ALSO_STANDARD_OUTPUT = Parameter(allow_leading_hyphen=True)
_IN_DETAIL = 10  # songs that are shown with bars; more have a line each


def tag(
    songs: list[Path],
    /,
    *,
    model: Path | None = None,
    json: Annotated[Path | None, _ALSO_STANDARD_OUTPUT] = None,
    csv: Annotated[Path | None, _ALSO_STANDARD_OUTPUT] = None,
    jams: Path | None = None,
    plan: Path | None = None,
    existing: Existing = "keep",
    mapping: Path | None = None,
    m3u: Path | None = None,
    windows: bool = False,
    hop: float | None = None,
    excerpts: int | None = None,
    top: int = 5,
    workers: int | None = None,
    timeout: float = 60.0,
) -> None:
    """Tag songs: audio files, or all those in folders. No file of yours is changed.

    A whole song is tagged: its scores are the means of those of its windows, which are as long as
    the clips of training. The exit code is 1 if a song could not be tagged; the others have their
    results.

    Parameters
    ----------
    songs
        Audio files, and folders, whose subfolders are searched as well.
    model
        Folder that `autotagging export` has written, or that of a trained network. Without it, the
        first network in results/train.
    json
        Output: a line of JSON for each song, added as soon as the song is done. A later run with
        the same file skips songs that have not changed. With -, standard output at the end.
    csv
        Output: a table with a row for each song and a column for each tag; - is standard output.
    jams
        Output: folder for a JAMS file of each song.
    plan
        Output: the genres and moods that `autotagging apply` is to write into the files.
    existing
        What the plan does with a genre or mood that a file has: keep it, and fill empty fields
        only; add to it; or replace it.
    mapping
        TOML file that says which genres and moods are written for a tag; what it leaves out is
        as in src/autotagging/tagging/mapping.toml.
    m3u
        Output: folder for a playlist of each tag.
    windows
        Whether JSON and JAMS have the scores of each window as well.
    hop
        Seconds from the beginning of a window to that of the next. Without it, windows follow one
        another; half a window takes twice as long.
    excerpts
        Number of windows to score of each song, evenly spread, which takes less time. Without it,
        the whole song.
    top
        Tags to show of each song at least, the highest scores first; all that reach their
        threshold are shown.
    workers
        Processes at work at a time. Without it, as many as there are processor cores.
    timeout
        Seconds in which the next window of a song has to be scored; else the song is given up.
    """
    _check_numbers(top=top, workers=workers, excerpts=excerpts)
    check_timeout(timeout)
    if excerpts and hop:
        raise UserError("--excerpts and --hop exclude each other")
    if (mapping or existing != "keep") and not plan:
        raise UserError("--mapping and --existing need --plan")
    model, described = chosen_model(model)
    seconds = checked_hop(described, hop, otherwise=described.window_seconds)
    settings = Settings(described, hop=seconds, excerpts=excerpts, keep_windows=windows)
    chosen = _mapping(mapping, described) if plan else None
    found = find_songs(songs)
    check_outputs(
        {"--json": json, "--csv": csv, "--plan": plan},
        [*found.songs, *model_files(model), *([mapping] if mapping else [])],
        folders={"--jams": jams, "--m3u": m3u},
    )
    if plan and not is_plan(plan):
        raise UserError(f"--plan {plan}: a file that is no plan; name another one")
    if jams:
        _check_names(found)
    kept = None if json in (None, _STANDARD_OUTPUT) else json
    with closing(Results(kept, settings)) as results:
        left = [song for song in found.songs if not results.holds(song)]
        work = Work(model, hop=hop, excerpts=excerpts, keep_windows=windows, known=results.audio)
        recognised, errors = _tag(left, work, results, workers=workers, timeout=timeout)
        if csv:
            _write(csv, csv_lines(results.of(found.songs), described.tags))
        left_out = _write_jams(results, found, described, jams) if jams else []
        if json == _STANDARD_OUTPUT:
            _write(json, (to_line(result).decode() for result in results.of(found.songs)))
        written = json or csv or jams or plan or m3u
        _show(results, found, described, top=top, only_errors=bool(written))
        if plan:
            left_out += _write_plan(results, found, chosen, existing, plan)
        if m3u:
            left_out += write_playlists(results.of(found.songs), m3u)[1]
    left_out = _failures(left_out)
    for folder, reason in found.unreadable.items():
        print(printable(f"warning: {folder}: {reason}"), file=sys.stderr)
    unchanged = len(found.songs) - len(left) + recognised
    _print_summary(len(left) - recognised - errors.total(), unchanged, errors)
    if errors or found.unreadable or left_out:
        sys.exit(1)


def _check_numbers(*, top: int, **counts: int | None) -> None:
    if top < 0:
        raise UserError(f"--top {top}: expected 0 or more")
    for name, count in counts.items():
        if count is not None and count < 1:
            raise UserError(f"--{name} {count}: expected 1 or more")


def _mapping(path: Path | None, described: Description) -> TagMapping:
    """Read what is written for the tags of the model; say what will not be."""
    categories = {tag: described.categories.get(tag, "") for tag in described.tags}
    mapping = read_mapping(path, categories)
    for tag in mapping.unknown:
        print(f"warning: --mapping: the model has no tag {printable(tag)!r}", file=sys.stderr)
    if not mapping.written:
        print(
            "warning: the plan will be empty: no tag of the model is known as a genre or mood; "
            "--mapping can tell what is written for it",
            file=sys.stderr,
        )
    return mapping


def _check_names(found: Found) -> None:
    """Raise UserError if two songs would have the same JAMS file."""
    taken: dict[Path, Path] = {}
    for song, name in found.names.items():
        if other := taken.get(name):
            raise UserError(f"{other} and {song} would have the same JAMS file, {name}.jams")
        taken[name] = song


def _tag(
    songs: list[Path], work: Work, results: Results, *, workers: int | None, timeout: float
) -> tuple[int, Counter[str]]:
    """Tag songs and keep their results.

    Returns
    -------
    recognised
        Number of songs whose audio had a result.
    errors
        Number of errors, by type.
    """
    workers = min(workers or cores(), len(songs))
    work = replace(work, threads=max(cores() // max(workers, 1), 1))
    recognised, errors = 0, Counter()
    done = tag_songs(songs, work, workers=workers, timeout=timeout)
    with closing(done):
        for song, result in progress(
            done,
            total=len(songs),
            label="Tagging songs",
            note=lambda: f"{errors.total()} failed" if errors else "",
        ):
            recognised += result.get("known", False)
            results.add(song, result)
            if "error" in result:
                errors[result["error"]["type"]] += 1
    return recognised, errors


def _write(path: Path, lines: Iterable[str]) -> None:
    """Write lines to a file or standard output."""
    if path == _STANDARD_OUTPUT:
        print_data(lines)
    else:
        write_lines(lines, path)


def _write_jams(
    results: Results, found: Found, described: Description, folder: Path
) -> list[Outcome]:
    """Write the JAMS files; list the songs whose file can't be written."""
    left_out = []
    for song, result in zip(found.songs, results.of(found.songs), strict=True):
        if "error" not in result:
            name = found.names[song]
            path = folder / name.with_name(f"{name.name}.jams")
            try:
                with replacing(path) as temporary:
                    temporary.write_bytes(to_line(as_jams(result, described)))
            except OSError as error:
                refused = refusal(error)
                message = f"its JAMS file can't be written ({refused})"
                left_out.append(Outcome(str(song), refused.reason, message))
    return left_out


def _write_plan(
    results: Results, found: Found, mapping: TagMapping, existing: Existing, path: Path
) -> list[Outcome]:
    """Write the plan; list the songs that are not in it."""
    good = (result for result in results.of(found.songs) if "error" not in result)
    planned, left_out = make_plan(good, mapping, existing=existing)
    write_plan(planned, path)
    text = f"{path}: changes of {counted(len(planned), 'file')}"
    then = f"; `autotagging apply {shlex.quote(str(path))}` writes them" if planned else ""
    print(printable(f"{text}{then}"), file=sys.stderr)
    return left_out


def _failures(left_out: list[Outcome]) -> list[Outcome]:
    """Print and list the songs that could not be planned, listed or described."""
    failed = [outcome for outcome in left_out if outcome.failed]
    for outcome in failed:
        print(printable(str(outcome)), file=sys.stderr)
    return failed


def _show(
    results: Results, found: Found, described: Description, *, top: int, only_errors: bool
) -> None:
    """Print results in the order of the songs; errors on standard error."""
    in_detail = len(found.songs) <= _IN_DETAIL
    for song, result in zip(found.songs, results.of(found.songs), strict=True):
        if "error" in result:
            print(line(str(song), result), file=sys.stderr)
        elif not only_errors:
            name = str(song)
            print(table(name, result, described, top=top) if in_detail else line(name, result))


def _print_summary(tagged: int, unchanged: int, errors: Counter[str]) -> None:
    parts = [f"{tagged} tagged"]
    parts += [f"{unchanged} unchanged"] if unchanged else []
    if errors:
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(errors.items()))
        parts.append(f"{errors.total()} failed ({kinds})")
    print(", ".join(parts), file=sys.stderr)
