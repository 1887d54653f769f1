"""Differences between every pair of models on the same test clips (sec. III)."""

from typing import Annotated

import pandas as pd
from cyclopts import Parameter

from autotagging.dataset.groups import INTERVAL_UNIT
from autotagging.metrics.differences import Run
from autotagging.metrics.differences import differences as make_table
from autotagging.metrics.settings import Bootstrap
from autotagging.reporting.captions import (
    BASIC,
    NO_LIMITS,
    intervals_caption,
    run_caption,
    undefined_resamples,
)
from autotagging.reporting.inputs import read_metrics, read_predictions, read_table, same_length
from autotagging.reporting.tables.differences import against_first, by_category, every_pair
from autotagging.reporting.tables.files import Part, save_table
from autotagging.steps.figures import flags

_MINUS_REST = (
    "Gain minus rest: this difference minus that over all other tags; positive: the first model "
    "gains more in this category."
)


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
    names = ("clip_id", "track", "artist", "labels", "scores")
    runs = [
        Run(result["model"], *(each[name] for name in names))
        for result, each in zip(results, arrays, strict=True)
    ]
    category = read_table(tags, ("tag", "category")).set_index("tag")["category"]
    table = make_table(runs, category.loc[arrays[0]["tags"]].tolist(), bootstrap)
    limits = intervals_caption(results, confidence=bootstrap.confidence)
    brackets = f"In brackets: {limits}; {bootstrap.resamples:,} resamples." if limits else NO_LIMITS
    caption = f"Models compared on the same test clips. {brackets} {run_caption(results)}."
    notes = (
        "Clear: yes if zero is outside the interval; not corrected for the number of comparisons. "
        "Means and differences of seeds are averaged; intervals leave out the choice of the seed. "
        "Artists are resampled because clips of an artist are alike; the CSV file also has "
        "intervals from resampled tracks and clips. "
        f"{undefined_resamples(results)}{BASIC}"
    )
    several, rest = table["second"].nunique() > 1, table["gain_minus_rest"].notna().any()
    if rest and not several:
        notes = f"{_MINUS_REST} {notes}"
    shown = _parts(table, runs[0].model, notes, rest=rest) if several else _one_pair(table)
    save_table(table, table_files, caption=caption, notes=notes, shown=shown)


def _one_pair(table: pd.DataFrame) -> pd.DataFrame:
    """Leave out the limits that are not shown."""
    prefixes = {f"{INTERVAL_UNIT}_": "difference_"}
    prefixes |= {f"gain_minus_rest_{INTERVAL_UNIT}_": "gain_minus_rest_"}
    names = {
        f"{prefix}{side}": f"{shown}{side}"
        for prefix, shown in prefixes.items()
        for side in ("low", "high")
    }
    table = table.rename(columns=names)
    return table.drop(columns=table.filter(regex="(^|_)(clips|tracks)_").columns)


def _parts(table: pd.DataFrame, first: str, notes: str, *, rest: bool) -> list[Part]:
    """Compare every model with the first one, over all tags and by category, and every pair.

    Where there is a rest of tags besides those of a category, it is subtracted, too.
    """
    pairs = every_pair(table)
    minus_rest = Part(
        f"Minus {first}, by category, minus rest",
        "This difference minus that over all other tags; positive: gains more in the category.",
        by_category(table, minus_rest=True),
    )
    return [
        Part(
            f"Minus {first}",
            f"Means over all tags, and their difference from {first}; positive: better.",
            against_first(table),
            notes,
        ),
        Part(
            f"Minus {first}, by category",
            f"Difference of the mean ROC-AUC from {first} over the tags of a category.",
            by_category(table),
        ),
        *([minus_rest] if rest else []),
        Part(
            "ROC-AUC of every pair",
            "That of the row's model minus that of the column's, over all tags.",
            pairs,
            "*: zero is outside the interval.",
            names=pairs["model"].tolist(),
        ),
    ]
