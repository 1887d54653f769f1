"""Style file, colours, captions and byte-identical output of all figures."""

import functools
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

from matplotlib import rcParams, style
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter

from autotagging.common.files import replacing
from autotagging.common.versions import write_versions
from autotagging.reporting.outputs import LIBRARIES, FigureFiles, readable
from autotagging.reporting.plots.text import NOT_IN_XML, complete_fonts, fitted, wrap

STYLE = Path(__file__).with_name("paper.mplstyle")
COLUMN, PAGE = 3.5, 7.2
"""Widths of a figure, in inches."""

# Colours of Okabe and Ito, which colour-blind readers can distinguish.
BLUE, VERMILION, GREEN, ORANGE = "#0072B2", "#D55E00", "#009E73", "#E69F00"
PURPLE, SKY, GREY, BLACK = "#CC79A7", "#56B4E9", "#767676", "#000000"

MEL_SCALES = {
    "power_db": ("power (dB)", 80.0),
    "squared_power_db": ("squared power (dB)", 80.0),
    "log1p": ("ln(1 + power)", 8.0),
}
"""Label of a spectrogram's colour scale and its range below the maximum, by log scale."""

_MOST_PIXELS = 65_535
"""Most pixels of a PNG in a direction that Matplotlib can draw."""

_UNDATED = {
    "pdf": {"CreationDate": None},
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
}

P = ParamSpec("P")
R = TypeVar("R")


def styled(function: Callable[P, R]) -> Callable[P, R]:
    """Run a function with the style file and without the user's own settings."""

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        with style.context(STYLE, after_reset=True):
            return function(*args, **kwargs)

    return wrapper


def new_figure(width: float, height: float, caption: str = "") -> Figure:
    """Make a figure with a caption line at its top, wrapped to the width.

    Parameters
    ----------
    width, height
        Size in inches.
    caption
        Corpus, split, model and seed of the data.
    """
    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    if caption:
        figure.suptitle(wrap(caption, width - 0.1), x=0.05 / width, ha="left", color="#444444")
    return figure


def log_counts(axes: Axes) -> None:
    """Give y a logarithmic scale with plain numbers; those of Matplotlib are mathematics."""
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:,g}")
    axes.yaxis.set_minor_formatter(LogFormatter())


@styled
def save_figure(figure: Figure, files: FigureFiles, *, dpi: int | None = None) -> None:
    """Write a figure as SVG and PNG; the same figure and name always give the same bytes.

    The title of the SVG is the name of the file, such as "Figure 7", and the caption. The PNG has
    the pixels per inch of the style file, or `dpi`.
    The versions of the libraries are written, too, if there is a path for them.
    Characters that no installed font has are boxes in the figure, and named on standard error.

    Raises
    ------
    OSError
        The folder can't be written to.
    """
    characters, texts = complete_fonts(figure)
    if characters:
        print(_without_glyph(files.svg.stem, characters, texts), file=sys.stderr)
    title = ". ".join(filter(None, [readable(files.svg), figure.get_suptitle()]))
    for path in (files.svg, files.png):
        write_figure(figure, path, title=title, dpi=dpi)
    if files.figure_versions:
        write_versions(files.figure_versions, *LIBRARIES)


@styled
def write_figure(figure: Figure, path: Path, *, title: str, dpi: int | None = None) -> None:
    """Write a figure as SVG, PNG or PDF, by the suffix: the same figure as the same bytes.

    Parameters
    ----------
    figure
        Figure to write.
    path
        File to write.
    title
        Title for programs that can't read the texts of a drawing, in SVG and PDF.
    dpi
        Pixels per inch of a PNG; by default those of the style file. There are fewer where the
        figure, one of hundreds of tags for example, would have more than 65,535 pixels.
    """
    kind = path.suffix.lower().removeprefix(".")
    dpi = min(dpi or rcParams["savefig.dpi"], _MOST_PIXELS / max(figure.get_size_inches()))
    titled = {"Title": " ".join(title.translate(NOT_IN_XML).split())} if kind != "png" else {}
    with replacing(path) as temporary, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figure.savefig(temporary, format=kind, metadata=_UNDATED[kind] | titled, dpi=dpi)


def _without_glyph(name: str, characters: str, texts: list[str]) -> str:
    lacking = [*characters[:20], *["..."] * (len(characters) > 20)]
    shown = [*(fitted(text, 2) for text in texts[:3]), *["..."] * (len(texts) > 3)]
    return (
        f"{name}: boxes stand for {' '.join(lacking)} (in {', '.join(shown)}), which no installed "
        "font has; install one that does, and delete the figure to draw it again"
    )
