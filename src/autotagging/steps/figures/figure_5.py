"""Fig. 5 of the paper (sec. III): loss on training and validation clips."""

from autotagging.reporting.captions import run_caption
from autotagging.reporting.inputs import read_runs
from autotagging.reporting.plots.curves import figure_5 as draw
from autotagging.reporting.plots.style import save_figure
from autotagging.steps.figures import flags


def figure_5(
    *,
    history: flags.Histories,
    model_json: flags.ModelJsons,
    figure_files: flags.Figure,
) -> None:
    """Fig. 5: loss per epoch."""
    runs, models = read_runs(history, model_json)
    save_figure(draw(runs, caption=run_caption(models)), figure_files)
