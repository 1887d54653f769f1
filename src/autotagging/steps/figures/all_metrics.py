"""Every number on the test clips (sec. III)."""

from autotagging.reporting.captions import MIRRORED, brackets, clips_caption, not_scored
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
    caption = (
        "All metrics on the test clips. The tag's own threshold is that of highest F1 on the "
        "validation clips. Precision and F1 of a tag that is never given are 0. Means over clips "
        f"are over the {runs[0]['n_clips_with_tags']} that have a tag. Blank: without meaning, as "
        "the infinite loss of “no” to every tag. An answer that is the same for every clip still "
        "ranks frequent tags above rare ones, which counts in micro and per-clip averages. "
        f"{not_scored(runs)}{brackets(runs)} {MIRRORED} {clips_caption(runs)}."
    )
    save_table(table, table_files, caption=caption, shown=shown)
