"""Table of all metrics on the test clips (sec. III)."""

from autotagging.reporting.captions import (
    MIRRORED,
    brackets,
    clips_caption,
    not_scored,
    undefined_resamples,
)
from autotagging.reporting.inputs import read_metrics
from autotagging.reporting.tables.files import save_table
from autotagging.reporting.tables.metrics import all_metrics as make_table
from autotagging.reporting.tables.side_by_side import side_by_side
from autotagging.steps.figures import flags


def all_metrics(*, metrics: flags.Metrics, table_files: flags.Table) -> None:
    """All metrics of all models."""
    runs = [read_metrics(path) for path in metrics]
    table = make_table(runs)
    keys = ["metric", "text", "threshold"]
    shown = side_by_side(table, keys, ("value",), of="answer")
    shown = shown.drop(columns="metric").rename(columns={"text": "metric"})
    shown.columns = [name.replace(" value", "") for name in shown.columns]
    caption = f"All metrics on the test clips. {brackets(runs)} {clips_caption(runs)}."
    notes = (
        "The tag's own threshold has the highest F1 on the validation clips. Precision and F1 are "
        "0 for a tag that is never predicted. Means over clips use the "
        f"{runs[0]['n_clips_with_tags']} clips with a tag. Blank: undefined, such as the infinite "
        "loss of “no” to every tag. Scores that are the same for every clip still rank frequent "
        "tags above rare ones, which counts in micro and per-clip averages. "
        f"{not_scored(runs)}{undefined_resamples(runs)}{MIRRORED}"
    )
    save_table(table, table_files, caption=caption, notes=notes, shown=shown)
