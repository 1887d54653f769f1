"""Output files of figures and tables."""

from dataclasses import dataclass
from pathlib import Path

LIBRARIES = ("jinja2", "librosa", "libsndfile", "matplotlib", "numpy", "pandas", "pillow")
LIBRARIES += ("scikit-learn", "scipy", "soundfile", "soxr")
"""Libraries that the bytes of any figure or table depend on; all are quick to draw again."""


def readable(path: Path) -> str:
    """Name a figure or table for readers by its file, such as "Figure 7" for figure_7.svg."""
    name = path.stem.replace("_", " ")
    return name[:1].upper() + name[1:]


@dataclass(frozen=True)
class FigureFiles:
    """Files to write a figure to.

    Attributes
    ----------
    svg
        Output: figure as SVG.
    png
        Output: figure as PNG.
    figure_versions
        Output: versions of the libraries that made the figure; optional.
    """

    svg: Path
    png: Path
    figure_versions: Path | None = None


@dataclass(frozen=True)
class TableFiles:
    """Files to write a table to.

    Attributes
    ----------
    csv
        Output: table as CSV, at full precision.
    md
        Output: table as Markdown for GitHub.
    html
        Output: table as an HTML page with a download of the CSV.
    tex
        Output: table for LaTeX (packages array, booktabs, graphicx, rotating).
    table_versions
        Output: versions of the libraries that made the table; optional.
    """

    csv: Path
    md: Path
    html: Path
    tex: Path
    table_versions: Path | None = None
