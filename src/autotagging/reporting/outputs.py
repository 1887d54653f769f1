"""The files that a figure, and a table, is written to."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class FigureFiles:
    """Files to write a figure to.

    Attributes
    ----------
    svg
        Output: the figure as vectors.
    png
        Output: the figure as pixels.
    """

    svg: Path
    png: Path


@dataclass(frozen=True)
class TableFiles:
    """Files to write a table to.

    Attributes
    ----------
    csv
        Output: the table at full precision.
    md
        Output: the table for GitHub.
    html
        Output: a page with the table, which holds the CSV, too.
    tex
        Output: the table for LaTeX (array, booktabs, graphicx).
    """

    csv: Path
    md: Path
    html: Path
    tex: Path
