"""Scores by category of tags: whether a model is best at moods (sec. III)."""

from autotagging.reporting.captions import (
    MIRRORED,
    brackets,
    clips_caption,
    undefined_resamples,
)
from autotagging.reporting.inputs import read_each, read_metrics
from autotagging.reporting.plots.scores import category_scores as draw
from autotagging.reporting.plots.style import save_figure
from autotagging.reporting.tables.files import save_table
from autotagging.reporting.tables.scores import category_scores as make_table
from autotagging.reporting.tables.side_by_side import side_by_side
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
    confidence = runs[0]["confidence"]
    figure = draw(table, confidence=confidence, caption=clips_caption(runs))
    save_figure(figure, figure_files)
    shown = side_by_side(
        table,
        ["category", "tags", "tags_scored"],
        ("roc_auc", "pr_auc", "roc_auc_minus_rest", "clear"),
    )
    caption = (
        "Mean over the tags of each category, on the test clips. "
        f"{brackets(runs)} {clips_caption(runs)}."
    )
    notes = (
        "Minus rest: difference from all other tags. Clear: yes if zero is outside the interval of "
        f"this difference. {undefined_resamples(runs)}{MIRRORED}"
    )
    save_table(table, table_files, caption=caption, notes=notes, shown=shown)
