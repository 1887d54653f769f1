"""Scores by tag (sec. III)."""

import pandas as pd

from autotagging.reporting.captions import brackets, clips_caption, lines, undefined_resamples
from autotagging.reporting.inputs import read_each, read_metrics
from autotagging.reporting.plots.scores import tag_scores as draw
from autotagging.reporting.plots.style import save_figure
from autotagging.reporting.tables.files import Part, save_table
from autotagging.reporting.tables.scores import tag_scores as make_table
from autotagging.reporting.tables.side_by_side import MOST_SIDE_BY_SIDE, side_by_side
from autotagging.steps.figures import flags


def tag_scores(
    *,
    per_tag: flags.PerTags,
    metrics: flags.Metrics,
    figure_files: flags.Figure,
    table_files: flags.Table,
) -> None:
    """ROC-AUC by tag."""
    runs = [read_metrics(path) for path in metrics]
    columns = ("tag", "category", "positives", "artists", "share", "roc_auc", "pr_auc")
    table = make_table(read_each(per_tag, runs, columns))
    figure = draw(table, lines=lines(runs), caption=clips_caption(runs))
    save_figure(figure, figure_files)
    notes = (
        f"{undefined_resamples(runs, of_tags=True)}Scores from few clips are uncertain; intervals "
        "of a tag that few artists have are too narrow."
    )
    many = table["model"].nunique() > MOST_SIDE_BY_SIDE
    between = "" if many else f"{brackets(runs)} "
    caption = f"Scores of each tag on the test clips. {between}{clips_caption(runs)}."
    shown = _of_many(table, notes) if many else _side_by_side(table, ("roc_auc", "pr_auc"))
    save_table(table, table_files, caption=caption, notes=notes, shown=shown)


def _side_by_side(table: pd.DataFrame, values: tuple[str, ...]) -> pd.DataFrame:
    names = {"positives": "test clips with tag", "artists": "test artists with tag"}
    keys = ["tag", "category", *names.values()]
    return side_by_side(table.rename(columns=names), keys, values)


def _of_many(table: pd.DataFrame, notes: str) -> list[Part]:
    """Make a table per area, without the limits and deviations, for which there is no room."""
    parts = []
    for area, title in (("roc_auc", "ROC-AUC"), ("pr_auc", "Average precision")):
        columns = [*table.columns[: table.columns.get_loc("model") + 1], area]
        shown = _side_by_side(table[columns], (area,))
        shown.columns = [name.removesuffix(f" {area}") for name in shown.columns]
        caption = "Of each tag; the CSV file has the confidence intervals."
        below, models = notes if area == "pr_auc" else "", table["model"].unique()
        parts.append(Part(title, caption, shown, below, names=models))
    return parts
