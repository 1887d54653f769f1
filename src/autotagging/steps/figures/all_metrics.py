"""Table of all metrics on the test clips (sec. III)."""

import pandas as pd

from autotagging.reporting.captions import (
    BASIC,
    brackets,
    clips_caption,
    not_scored,
    undefined_resamples,
)
from autotagging.reporting.inputs import read_metrics
from autotagging.reporting.tables.files import Part, save_table
from autotagging.reporting.tables.metrics import all_metrics as make_table
from autotagging.reporting.tables.side_by_side import one_below_another, side_by_side
from autotagging.steps.figures import flags

_MOST_ANSWERS = 7  # four models and three baselines: as many columns as a page holds
_COLUMNS = 4  # metrics with intervals, of a table with a row per answer: a page's width


def all_metrics(*, metrics: flags.Metrics, table_files: flags.Table) -> None:
    """All metrics of all models."""
    runs = [read_metrics(path) for path in metrics]
    table = make_table(runs)
    caption = f"All metrics on the test clips. {brackets(runs)} {clips_caption(runs)}."
    notes = (
        "The tag's own threshold has the highest F1 on the validation clips. Precision and F1 are "
        "0 for a tag that is never predicted. Means over clips use the "
        f"{runs[0]['n_clips_with_tags']} clips with a tag. Blank: undefined, such as the infinite "
        "loss of “no” to every tag. Scores that are the same for every clip still rank frequent "
        "tags above rare ones, which counts in micro and per-clip averages. "
        f"{not_scored(runs)}{undefined_resamples(runs)}{BASIC}"
    )
    many = table["answer"].nunique() > _MOST_ANSWERS
    shown = _of_many(table, notes) if many else _side_by_side(table)
    save_table(table, table_files, caption=caption, notes=notes, shown=shown)


def _side_by_side(table: pd.DataFrame) -> pd.DataFrame:
    """Make a column per answer."""
    shown = side_by_side(table, ["metric", "text", "threshold"], ("value",), of="answer")
    shown = shown.drop(columns="metric").rename(columns={"text": "metric"})
    shown.columns = [name.replace(" value", "") for name in shown.columns]
    return shown


def _of_many(table: pd.DataFrame, notes: str) -> list[Part]:
    """Make tables of some metrics each, with a row per answer and a column per metric."""
    parts = []
    for threshold, rows in table.groupby("threshold", sort=False):
        title = f"Above a threshold: {threshold}" if threshold else "Without a threshold"
        texts = [*rows["text"].unique()]
        for start in range(0, len(texts), _COLUMNS):
            chosen = rows[rows["text"].isin(texts[start : start + _COLUMNS])]
            shown = one_below_another(chosen, "text", "value", of="answer")
            shown = shown.rename(columns={"answer": "model or baseline"})
            parts.append(Part(title if not start else f"{title}, continued", "", shown))
    parts[-1] = parts[-1]._replace(notes=notes)
    return parts
