"""How well the models rank, and what they cost (sec. III)."""

from autotagging.reporting.captions import lines, run_caption
from autotagging.reporting.inputs import read_results
from autotagging.reporting.plots.cost import cost as draw
from autotagging.reporting.plots.style import save_figure
from autotagging.reporting.tables.cost import cost_table
from autotagging.steps.figures import flags


def cost(
    *, metrics: flags.Metrics, model_json: flags.AllModelJsons, figure_files: flags.Figure
) -> None:
    """Cost of the models.

    The cost is the number of parameters and of operations, which is the same in every run.
    """
    runs = read_results(metrics, model_json)
    figure = draw(
        cost_table(runs),
        lookup=runs[0]["baselines"]["lookup"]["roc_auc_macro"],
        lines=lines(runs),
        caption=run_caption(runs),
    )
    save_figure(figure, figure_files)
