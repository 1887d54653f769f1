"""Tables of ROC-AUC and average precision by tag and by category (sec. III).

Limits are those of the confidence interval by artists, because clips of an artist are alike.
"""

from typing import Any

import numpy as np
import pandas as pd

from autotagging.dataset.groups import INTERVAL_UNIT
from autotagging.reporting.averaging import summarise
from autotagging.reporting.tables.metrics import limits

FEW_ARTISTS = 5
"""Test artists with a tag below which its ROC-AUC and interval say little, whatever its clips."""
_OF_TAGS = ("roc_auc", "pr_auc")
_OF_CATEGORIES = (*_OF_TAGS, "roc_auc_minus_rest")


def tag_scores(per_tag: pd.DataFrame) -> pd.DataFrame:
    """Average the seeds of each model for every tag.

    Parameters
    ----------
    per_tag : (tags of all runs, ...)
        Columns of per_tag.csv, and model.

    Returns
    -------
    table : (tags x models, 14)
        tag, category, positives and artists (test clips and artists with the tag), share, model;
        roc_auc and pr_auc, each with its _std, _low and _high; NaN where all test clips or none
        have the tag.
    """
    by = ["tag", "category", "positives", "artists", "share", "model"]
    return summarise(_with_limits(per_tag, _OF_TAGS), by, _OF_TAGS)


def category_scores(per_category: pd.DataFrame, metrics: list[dict[str, Any]]) -> pd.DataFrame:
    """Average the seeds of each model for all tags and for every category.

    Parameters
    ----------
    per_category : (categories of all runs, ...)
        Columns of per_category.csv, and model.
    metrics
        Contents of the metrics.json of each model and seed.

    Returns
    -------
    table : (categories x models, 17)
        category, tags, tags_scored, model; roc_auc, pr_auc and roc_auc_minus_rest (difference from
        all other tags), each with its _std, _low and _high; clear ("yes" if zero is outside the
        limits of the difference, else "no"; empty for all tags).
    """
    every = pd.DataFrame([_all_tags(run) for run in metrics])
    rows = _with_limits(pd.concat([every, per_category]), _OF_CATEGORIES)
    table = summarise(rows, ["category", "tags", "tags_scored", "model"], _OF_CATEGORIES)
    low, high = (table[f"roc_auc_minus_rest_{side}"] for side in ("low", "high"))
    clear = np.where((low > 0) | (high < 0), "yes", "no")
    return table.assign(clear=np.where(low.isna(), "", clear))


def _all_tags(run: dict[str, Any]) -> dict[str, Any]:
    """Make a row like those of per_category.csv from the means over all tags in a metrics.json."""
    row = {
        "category": "all",
        "tags": run["n_tags"],
        "tags_scored": run["n_tags_scored"],
        "model": run["model"],
        "roc_auc_minus_rest": np.nan,
    }
    for area in _OF_TAGS:
        low, high = limits(run).get(f"{area}_macro", (np.nan, np.nan))
        row[area] = run[f"{area}_macro"]
        row[f"{area}_{INTERVAL_UNIT}_low"], row[f"{area}_{INTERVAL_UNIT}_high"] = low, high
    return row


def _with_limits(table: pd.DataFrame, values: tuple[str, ...]) -> pd.DataFrame:
    """Name the limits by artists as the limits of the values."""
    names = {
        f"{name}_{INTERVAL_UNIT}_{side}": f"{name}_{side}"
        for name in values
        for side in ("low", "high")
    }
    return table.rename(columns=names).astype(dict.fromkeys(values, float))
