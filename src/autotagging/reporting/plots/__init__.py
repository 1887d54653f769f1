"""The paper's figures by their numbers: data in, Figure out."""

from autotagging.reporting.plots.calibration import calibration
from autotagging.reporting.plots.clip import figure_6, median_clip, outcomes
from autotagging.reporting.plots.curves import figure_5, figure_7
from autotagging.reporting.plots.data import figure_2, figure_3, tag_distribution
from autotagging.reporting.plots.model import figure_4
from autotagging.reporting.plots.scores import category_scores, tag_scores
from autotagging.reporting.plots.sheet import mel_examples, spread_clips
from autotagging.reporting.plots.style import FigureFiles, save_figure

__all__ = [
    "FigureFiles",
    "calibration",
    "category_scores",
    "figure_2",
    "figure_3",
    "figure_4",
    "figure_5",
    "figure_6",
    "figure_7",
    "median_clip",
    "mel_examples",
    "outcomes",
    "save_figure",
    "spread_clips",
    "tag_distribution",
    "tag_scores",
]
