"""Scores by tag (sec. III)."""

from autotagging.reporting.captions import brackets, clips_caption, undefined_resamples
from autotagging.reporting.inputs import read_each, read_metrics
from autotagging.reporting.plots.scores import tag_scores as draw
from autotagging.reporting.plots.style import save_figure
from autotagging.reporting.tables.files import save_table
from autotagging.reporting.tables.scores import tag_scores as make_table
from autotagging.reporting.tables.side_by_side import side_by_side
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
    columns = ("tag", "category", "positives", "share", "roc_auc", "pr_auc")
    table = make_table(read_each(per_tag, runs, columns))
    confidence = runs[0]["confidence"]
    figure = draw(table, confidence=confidence, caption=clips_caption(runs))
    save_figure(figure, figure_files)
    shown = side_by_side(
        table.rename(columns={"positives": "test clips with tag"}),
        ["tag", "category", "test clips with tag"],
        ("roc_auc", "pr_auc"),
    )
    caption = f"Scores of each tag on the test clips. {brackets(runs)} {clips_caption(runs)}."
    notes = f"{undefined_resamples(runs)}Scores from few clips or tracks are uncertain."
    save_table(table, table_files, caption=caption, notes=notes, shown=shown)
