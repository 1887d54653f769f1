"""Differences between every pair of models on the same test clips (sec. III)."""

from typing import Annotated

from cyclopts import Parameter

from autotagging.metrics.differences import Run
from autotagging.metrics.differences import differences as make_table
from autotagging.metrics.settings import Bootstrap
from autotagging.reporting.captions import MIRRORED, run_caption
from autotagging.reporting.inputs import read_metrics, read_predictions, read_table, same_length
from autotagging.reporting.tables.files import save_table
from autotagging.steps.figures import flags


def differences(
    *,
    predictions: flags.AllPredictions,
    metrics: flags.Metrics,
    tags: flags.Tags,
    bootstrap: Annotated[Bootstrap, Parameter(name="*")],
    table_files: flags.Table,
) -> None:
    """Differences between models."""
    same_length(predictions=predictions, metrics=metrics)
    results = [read_metrics(path) for path in metrics]
    arrays = [read_predictions(path) for path in predictions]
    runs = [
        Run(result["model"], *(each[key] for key in ("clip_id", "track", "labels", "scores")))
        for result, each in zip(results, arrays, strict=True)
    ]
    category = read_table(tags, ("tag", "category")).set_index("tag")["category"]
    table = make_table(runs, category.loc[arrays[0]["tags"]].tolist(), bootstrap)
    by_tracks = {f"tracks_{side}": f"difference_{side}" for side in ("low", "high")}
    shown = table.drop(columns=["clips_low", "clips_high"]).rename(columns=by_tracks)
    percent, resamples = 100 * bootstrap.confidence, bootstrap.resamples
    caption = (
        "Every pair of models on the same test clips: means over the tags, and their difference "
        f"with its {percent:g} % confidence interval ({resamples:,} resamples of the tracks). "
        f"{run_caption(results)}."
    )
    notes = (
        "Clear: yes if zero is outside the interval; not corrected for the number of comparisons. "
        "Tracks are resampled because clips of a track are alike; the CSV file also has intervals "
        f"from resampled clips. {MIRRORED}"
    )
    save_table(table, table_files, caption=caption, notes=notes, shown=shown)
