"""Scores by category of tags: whether a model is best at moods (sec. III)."""

import pandas as pd

from autotagging.reporting.captions import (
    BASIC,
    brackets,
    clips_caption,
    lines,
    undefined_resamples,
)
from autotagging.reporting.inputs import read_each, read_metrics
from autotagging.reporting.plots.scores import category_scores as draw
from autotagging.reporting.plots.style import save_figure
from autotagging.reporting.tables.files import Part, save_table
from autotagging.reporting.tables.scores import category_scores as make_table
from autotagging.reporting.tables.side_by_side import (
    MOST_SIDE_BY_SIDE,
    one_below_another,
    side_by_side,
)
from autotagging.steps.figures import flags


def category_scores(
    *,
    per_category: flags.PerCategories,
    metrics: flags.Metrics,
    figure_files: flags.Figure,
    table_files: flags.Table,
) -> None:
    """ROC-AUC by category of tags."""
    runs = [read_metrics(path) for path in metrics]
    columns = ("category", "tags", "tags_scored", "roc_auc", "pr_auc", "roc_auc_minus_rest")
    table = make_table(read_each(per_category, runs, columns), runs)
    figure = draw(table, lines=lines(runs), caption=clips_caption(runs))
    save_figure(figure, figure_files)
    caption = (
        "Mean over the tags of each category, on the test clips. "
        f"{brackets(runs)} {clips_caption(runs)}."
    )
    many = table["model"].nunique() > MOST_SIDE_BY_SIDE
    clear = "" if many else "Clear: yes if zero is outside the interval of this difference. "
    notes = (
        "Minus rest: difference from all other tags, which also depends on how hard the tags "
        f"are. {clear}{undefined_resamples(runs)}{BASIC}"
    )
    shown = _of_many(table, notes) if many else _side_by_side(table)
    save_table(table, table_files, caption=caption, notes=notes, shown=shown)


def _side_by_side(table: pd.DataFrame) -> pd.DataFrame:
    values = ("roc_auc", "pr_auc", "roc_auc_minus_rest", "clear")
    return side_by_side(table, ["category", "tags", "tags_scored"], values)


def _of_many(table: pd.DataFrame, notes: str) -> list[Part]:
    """Make a table per value, with a row per model and a column per category."""
    mean = "Mean over the tags of each category."
    parts = {
        "roc_auc": ("ROC-AUC", mean, ""),
        "pr_auc": ("Average precision", mean, ""),
        "roc_auc_minus_rest": ("ROC-AUC minus rest", "Difference of each category.", notes),
    }
    return [
        Part(title, caption, one_below_another(table, "category", value), below)
        for value, (title, caption, below) in parts.items()
    ]
