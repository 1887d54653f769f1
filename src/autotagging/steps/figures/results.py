"""Figures and tables of what was measured on the test clips."""

from typing import Any

import numpy as np
import pandas as pd

from autotagging.common.errors import UserError
from autotagging.metrics.differences import Run
from autotagging.metrics.differences import differences as compare_models
from autotagging.reporting import plots
from autotagging.reporting.inputs import (
    read_each,
    read_metrics,
    read_predictions,
    read_published,
    read_table,
    run_caption,
    same_length,
)
from autotagging.reporting.tables import results as result_tables
from autotagging.reporting.tables.files import Part, save_table
from autotagging.reporting.tables.published import CITED, MEASURED
from autotagging.reporting.tables.published import table_4 as compare_with_published
from autotagging.steps.figures import flags


def figure_6(
    *,
    predictions: flags.Predictions,
    metrics: flags.OneMetrics,
    clip_id: flags.ClipId = None,
    figure_files: flags.Figure,
) -> None:
    """Draw the tags of one test clip, predicted and actual: by default of median accuracy."""
    arrays = read_predictions(predictions)
    run = read_metrics(metrics)
    chosen = clip_id
    if chosen is None:
        chosen = plots.median_clip(
            arrays["clip_id"], arrays["scores"], arrays["labels"], threshold=run["threshold"]
        )
    rows = np.flatnonzero(arrays["clip_id"] == chosen)
    if not len(rows):
        raise UserError(f"{predictions}: clip {chosen} is not a test clip; choose another")
    which = "; the test clip of median accuracy" if clip_id is None else ""
    figure = plots.figure_6(
        arrays["scores"][rows[0]],
        arrays["labels"][rows[0]],
        [str(tag) for tag in arrays["tags"]],
        clip_id=chosen,
        threshold=run["threshold"],
        caption=f"{run_caption([run])}{which}",
    )
    plots.save_figure(figure, figure_files)


def calibration(
    *, calibration: flags.Calibrations, metrics: flags.Metrics, figure_files: flags.Figure
) -> None:
    """Draw how often a tag is there, against its score."""
    runs = [read_metrics(path) for path in metrics]
    bins = read_each(calibration, runs, ("low", "high", "decisions", "mean_score", "share"))
    errors = pd.DataFrame(runs)[["model", "seed", "calibration_error"]]
    plots.save_figure(plots.calibration(bins, errors, caption=run_caption(runs)), figure_files)


def tag_scores(
    *,
    per_tag: flags.PerTags,
    metrics: flags.Metrics,
    figure_files: flags.Figure,
    table_files: flags.Table,
) -> None:
    """Draw and list the ROC-AUC of each tag, with confidence intervals."""
    runs = [read_metrics(path) for path in metrics]
    columns = ("tag", "category", "positives", "share", "roc_auc", "pr_auc")
    table = result_tables.tag_scores(read_each(per_tag, runs, columns))
    confidence = runs[0]["confidence"]
    figure = plots.tag_scores(table, confidence=confidence, caption=_caption(runs))
    plots.save_figure(figure, figure_files)
    shown = result_tables.side_by_side(
        table.rename(columns={"positives": "test clips with it"}),
        ["tag", "category", "test clips with it"],
        ("roc_auc", "pr_auc"),
    )
    caption = (
        f"Each tag on the test clips. {_brackets(runs)} With few clips, or few tracks, it says "
        f"little. {_caption(runs)}."
    )
    save_table(table, table_files, caption=caption, shown=shown)


def category_scores(
    *,
    per_category: flags.PerCategories,
    metrics: flags.Metrics,
    figure_files: flags.Figure,
    table_files: flags.Table,
) -> None:
    """Draw and list the mean ROC-AUC over the tags of each category, with confidence intervals."""
    runs = [read_metrics(path) for path in metrics]
    columns = ("category", "tags", "tags_scored", "roc_auc", "pr_auc", "roc_auc_minus_rest")
    table = result_tables.category_scores(read_each(per_category, runs, columns), runs)
    confidence = runs[0]["confidence"]
    figure = plots.category_scores(table, confidence=confidence, caption=_caption(runs))
    plots.save_figure(figure, figure_files)
    shown = result_tables.side_by_side(
        table,
        ["category", "tags", "tags_scored"],
        ("roc_auc", "pr_auc", "roc_auc_minus_rest", "clear"),
    )
    caption = (
        "Mean over the tags of each category, on the test clips; minus rest: how far above all "
        "other tags; clear: zero is outside the interval of that. "
        f"{_brackets(runs)} {_MIRRORED} {_caption(runs)}."
    )
    save_table(table, table_files, caption=caption, shown=shown)


def all_metrics(*, metrics: flags.Metrics, table_files: flags.Table) -> None:
    """Make the table of every metric of every model, and of answers that hear nothing."""
    runs = [read_metrics(path) for path in metrics]
    table = result_tables.all_metrics(runs)
    keys = ["metric", "text", "threshold"]
    shown = result_tables.side_by_side(table, keys, ("value",), of="answer")
    shown = shown.drop(columns="metric").rename(columns={"text": "metric"})
    shown.columns = [name.replace(" value", "") for name in shown.columns]
    caption = (
        "All metrics on the test clips. The tag's own threshold is that of highest F1 on the "
        "validation clips. Precision and F1 of a tag that is never given are 0. Means over clips "
        f"are over the {runs[0]['n_clips_with_tags']} that have a tag. Blank: without meaning, as "
        "the infinite loss of “no” to every tag. An answer that is the same for every clip still "
        "ranks frequent tags above rare ones, which counts in micro and per-clip averages. "
        f"{_not_scored(runs)}{_brackets(runs)} {_MIRRORED} {_caption(runs)}."
    )
    save_table(table, table_files, caption=caption, shown=shown)


def differences(
    *,
    predictions: flags.AllPredictions,
    metrics: flags.Metrics,
    tags: flags.Tags,
    resamples: flags.Resamples,
    confidence: flags.Confidence,
    bootstrap_seed: flags.BootstrapSeed,
    table_files: flags.Table,
) -> None:
    """Compare each two models on the same test clips, with confidence intervals."""
    same_length(predictions=predictions, metrics=metrics)
    results = [read_metrics(path) for path in metrics]
    arrays = [read_predictions(path) for path in predictions]
    runs = [
        Run(result["model"], *(each[key] for key in ("clip_id", "track", "labels", "scores")))
        for result, each in zip(results, arrays, strict=True)
    ]
    category = read_table(tags, ("tag", "category")).set_index("tag")["category"]
    table = compare_models(
        runs,
        category.loc[arrays[0]["tags"]].tolist(),
        resamples=resamples,
        seed=bootstrap_seed,
        confidence=confidence,
    )
    by_tracks = {f"tracks_{side}": f"difference_{side}" for side in ("low", "high")}
    shown = table.drop(columns=["clips_low", "clips_high"]).rename(columns=by_tracks)
    caption = (
        "Each two models on the same test clips: mean over the tags, and the difference with its "
        f"interval of {100 * confidence:g} % ({resamples:,} resamples of the tracks, whose clips "
        "are alike; the CSV has those of the clips, too). Clear: zero is outside the interval; not "
        f"corrected for the number of comparisons. {_MIRRORED} {run_caption(results)}."
    )
    save_table(table, table_files, caption=caption, shown=shown)


def table_4(
    *,
    metrics: flags.Metrics,
    published: flags.Published,
    table_files: flags.Table,
) -> None:
    """Make the table of ROC-AUC of this run beside published ones."""
    runs = [read_metrics(path) for path in metrics]
    table = compare_with_published(runs, read_published(published))
    measured, cited = (table[table["source"] == source] for source in (MEASURED, CITED))
    hidden = ["source", "corpus", "best_epoch"]
    digits = cited["roc_auc"].map(lambda area: f"{area:.4f}".removesuffix("0"))
    parts = [
        Part(
            "Measured here",
            "Macro ROC-AUC (the mean over tags). Accuracy is to be read beside that of “no” to "
            "every tag, loss beside that of each tag's share. "
            f"{_brackets(runs)} {_caption(runs)}.",
            measured.drop(columns=hidden),
        ),
        Part(
            "Cited",
            "ROC-AUC as published; not all say how they average it over tags. Comparable: with a "
            "run on MagnaTagATune with the paper's split and tags.",
            cited.assign(roc_auc=digits).drop(columns=hidden),
        ),
    ]
    caption = "Table 4. ROC-AUC measured here, and as others published it."
    save_table(table, table_files, caption=caption, shown=parts)


# A positive that is drawn twice raises the precision, in every tag, and the mean shows it.
_MIRRORED = "Intervals of mean average precisions are mirrored, as resampling raises these."


def _caption(runs: list[dict[str, Any]]) -> str:
    """Name the runs, and say of which test clips they are, where not all of the same."""
    caption = run_caption(runs)
    clips = {run["model"]: run["n_clips"] for run in runs}
    if len(set(clips.values())) == 1:
        return f"{caption}; {runs[0]['n_clips']:,} test clips"
    each = ", ".join(f"{count:,} of {model}" for model, count in clips.items())
    return f"{caption}; test clips whose audio can be read: {each}"


def _brackets(runs: list[dict[str, Any]]) -> str:
    """Say what intervals are of, and what they lack."""
    by_tracks = runs[0]["intervals"]["tracks"]
    without, resamples = by_tracks["resamples_without_some_tag"], by_tracks["resamples"]
    several = "; of several seeds, the mean of their limits" * (len({r["seed"] for r in runs}) > 1)
    lacking = (
        f" In {without:,} of {resamples:,} resamples some tag was on none, or all, of the clips, "
        "and not in the mean."
        if without
        else ""
    )
    percent = f"{100 * runs[0]['confidence']:g}"
    return f"In brackets: interval of {percent} %, by the bootstrap over tracks{several}.{lacking}"


def _not_scored(runs: list[dict[str, Any]]) -> str:
    """Name the tags that are left out of means."""
    sentences = [
        f"Means over tags are over {run['n_tags_scored']} of {run['n_tags']} for {run['model']}: "
        f"all test clips, or none, have {', '.join(run['tags_not_scored'])}. "
        for run in {run["model"]: run for run in runs}.values()
        if run["tags_not_scored"]
    ]
    return "".join(sentences)
