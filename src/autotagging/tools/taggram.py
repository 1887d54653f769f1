"""Show the tags of a song over time: the command `autotagging taggram`."""

import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tqdm import tqdm

from autotagging.common.errors import UserError
from autotagging.common.files import replacing
from autotagging.tagging.bundle import model_files
from autotagging.tagging.jams import jams as as_jams
from autotagging.tagging.outputs import line, write_lines
from autotagging.tagging.pool import Work, Worker
from autotagging.tagging.printable import printable
from autotagging.tagging.processes import check_timeout
from autotagging.tagging.results import to_line
from autotagging.tagging.songs import checked_hop
from autotagging.tagging.taggram import HOP, csv_lines, text
from autotagging.tools._machine import cores
from autotagging.tools._song_outputs import check_outputs
from autotagging.tools._tagger import chosen_model

_FORMATS = (".pdf", ".png", ".svg")
_MOST_COLUMNS = 120


def taggram(
    song: Path,
    /,
    *,
    model: Path | None = None,
    figure: Path | None = None,
    csv: Path | None = None,
    jams: Path | None = None,
    hop: float | None = None,
    top: int = 12,
    timeout: float = 60.0,
) -> None:
    """Show the tags of a song over time; drawn on the terminal if no output is given.

    The scores of a moment are those of the window whose middle is nearest. A window is as long as
    the clips of training, so changes within a few seconds are smoothed.

    Parameters
    ----------
    song
        Audio file.
    model
        Folder that `autotagging export` has written, or that of a trained network. Without it, the
        first network in results/train.
    figure
        Output: figure as .png, .svg or .pdf; needs Matplotlib.
    csv
        Output: a table with a row for each window and a column for each tag.
    jams
        Output: JAMS file with the scores of the song and of each window.
    hop
        Seconds from the beginning of a window to that of the next, at most the length of a window.
        Without it, 3 seconds.
    top
        Tags to draw: those that come nearest to their threshold, or above it, in any window.
    timeout
        Seconds in which the next window has to be scored; else the song is given up.
    """
    check_timeout(timeout)
    _check_flags(figure, top=top)
    model, described = chosen_model(model)
    check_outputs({"--figure": figure, "--csv": csv, "--jams": jams}, [song, *model_files(model)])
    hop = checked_hop(described, hop, otherwise=HOP)
    work = Work(model, hop=hop, keep_windows=True, threads=cores())
    result = _tag(song, work, timeout)
    if csv:
        write_lines(csv_lines(result, described), csv)
    if jams:
        with replacing(jams) as temporary:
            temporary.write_bytes(to_line(as_jams(result, described)))
    if figure:
        from autotagging.tagging.taggram_figure import save, taggram_figure

        lacking = save(taggram_figure(song.name, result, described, top=top), figure)
        if lacking:
            print(printable(f"{figure}: no font has {' '.join(lacking)}"), file=sys.stderr)
    if not (figure or csv or jams):
        width = min(shutil.get_terminal_size().columns, _MOST_COLUMNS)
        print(text(str(song), result, described, top=top, width=width))
        return
    if "warning" in result:
        print(printable(f"warning: {song}: {result['warning']}"), file=sys.stderr)
    written = ", ".join(str(path) for path in (figure, csv, jams) if path)
    print(printable(f"written: {written}"), file=sys.stderr)


def _check_flags(figure: Path | None, *, top: int) -> None:
    if top < 1:
        raise UserError(f"--top {top}: expected 1 or more")
    if figure is None:
        return
    if figure.suffix.lower() not in _FORMATS:
        raise UserError(f"--figure {figure}: expected the suffix {', '.join(_FORMATS)}")
    if find_spec("matplotlib") is None:
        raise UserError(
            "--figure needs matplotlib, which is not installed: pip install matplotlib; without "
            "--figure, the taggram is drawn on the terminal"
        )


def _tag(song: Path, work: Work, timeout: float) -> dict[str, Any]:
    """Tag a song in a process of its own; show the time that has been decoded."""
    worker = Worker(work, song)
    try:
        with tqdm(unit=" s", desc="Scoring", leave=False, disable=not sys.stderr.isatty()) as bar:
            result = None
            while result is None:
                if worker.wait(timeout, at_most=1.0):
                    result = worker.result(timeout)
                    bar.update(round(worker.seconds - bar.n, 1))
    finally:
        worker.stop()
    if "error" in result:
        raise UserError(line(str(song), result))
    return {**result, "path": os.path.abspath(song)}
