"""Output files of figures and tables."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class FigureFiles:
    """Files to write a figure to.

    Attributes
    ----------
    svg
        Output: figure as SVG.
    png
        Output: figure as PNG.
    """

    svg: Path
    png: Path


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
        Output: table for LaTeX (packages array, booktabs, graphicx).
    """

    csv: Path
    md: Path
    html: Path
    tex: Path
