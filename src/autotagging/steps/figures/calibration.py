"""Calibration: whether the scores are probabilities, on average over all tags (sec. III)."""

import pandas as pd

from autotagging.reporting.captions import run_caption
from autotagging.reporting.inputs import read_each, read_metrics
from autotagging.reporting.plots.calibration import calibration as draw
from autotagging.reporting.plots.style import save_figure
from autotagging.steps.figures import flags


def calibration(
    *, calibration: flags.Calibrations, metrics: flags.Metrics, figure_files: flags.Figure
) -> None:
    """Calibration of the scores."""
    runs = [read_metrics(path) for path in metrics]
    bins = read_each(calibration, runs, ("low", "high", "decisions", "mean_score", "share"))
    errors = pd.DataFrame(runs)[["model", "seed", "calibration_error"]]
    save_figure(draw(bins, errors, caption=run_caption(runs)), figure_files)
