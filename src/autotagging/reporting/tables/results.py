"""Tables of what was measured: all metrics, by tag, by category and by epoch (sec. III).

All take several seeds of a model together, as `seeds.summarise` does. Limits are those of the
confidence interval by tracks, as clips of a track are alike.
"""

from typing import Any

import numpy as np
import pandas as pd

from autotagging.reporting.averaging import summarise

CHANCE = 0.5
"""Macro ROC-AUC of any answer that is the same for every clip, by definition."""

CONSTANT = {"prior": "each tag's share in training", "all_zero": "“no” to every tag"}
"""Answers that are the same for every clip: names in metrics.json, and for readers."""

FEW_CLIPS = 5
"""With fewer positives, the ROC-AUC of a tag says little, and so does its interval."""

_SCORES = {
    "roc_auc_macro": "ROC-AUC, mean over tags (macro)",
    "roc_auc_weighted": "ROC-AUC, mean over tags weighted by positives",
    "roc_auc_micro": "ROC-AUC, all decisions together (micro)",
    "roc_auc_samples": "ROC-AUC, mean over clips",
    "pr_auc_macro": "average precision, mean over tags (macro)",
    "loss": "binary cross-entropy",
    "calibration_error": "expected calibration error",
}
_DECISIONS = {
    "accuracy": "accuracy",
    "precision_macro": "precision, mean over tags (macro)",
    "recall_macro": "recall, mean over tags (macro)",
    "f1_macro": "F1, mean over tags (macro)",
    "precision_micro": "precision, all decisions together (micro)",
    "recall_micro": "recall, all decisions together (micro)",
    "f1_micro": "F1, all decisions together (micro)",
}
_OF_EPOCHS = ("roc_auc_macro", "pr_auc_macro", "loss", "accuracy")
_CHOICES = {
    "best_on_validation": "best on validation (the headline)",
    "last": "last",
    "upper_bound_best_on_test": "best on test (an upper bound: it chose what it is measured by)",
}
_OF_TAGS = ("roc_auc", "pr_auc")
_OF_CATEGORIES = (*_OF_TAGS, "roc_auc_minus_rest")


def baselines(metrics: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Give what answers that hear nothing score, where no model does: lookup and `CONSTANT`.

    Parameters
    ----------
    metrics
        Contents of the metrics.json of each model and seed; the baselines are those of the first.

    Returns
    -------
    baselines
        By name for readers.
    """
    names = {"lookup": "lookup", **CONSTANT}
    models = {run["model"] for run in metrics}
    measured = metrics[0]["baselines"]
    return {text: measured[name] for name, text in names.items() if text not in models}


def all_metrics(metrics: list[dict[str, Any]]) -> pd.DataFrame:
    """List every metric of every model, and of answers that hear nothing.

    Parameters
    ----------
    metrics
        Contents of the metrics.json of each model and seed.

    Returns
    -------
    table : (metrics x answers, 8)
        metric (as in metrics.json), text (for readers), threshold (of the decisions: a number,
        "the tag's own", or nothing), answer (a model, or one of `baselines`), value, value_std,
        value_low, value_high; NaN where undefined or not known.
    """
    rows = [_flat(run, run["model"], threshold=run["threshold"]) for run in metrics]
    for answer, measured in baselines(metrics).items():
        rows.append(_flat(measured, answer, threshold=metrics[0]["threshold"]))
    return summarise(pd.concat(rows), ["metric", "text", "threshold", "answer"], ["value"])


def _flat(measured: dict[str, Any], answer: str, *, threshold: float) -> pd.DataFrame:
    """List the metrics of one model and seed with their limits, in the order for readers."""
    at_own, known = measured.get("at_tag_thresholds", {}), limits(measured)
    rows = [(name, text, "", measured.get(name)) for name, text in _SCORES.items()]
    for k, value in measured.get("precision_at", {}).items():
        rows.append((f"precision_at_{k}", f"precision at {k}, mean over clips", "", value))
    for name, text in _DECISIONS.items():
        rows.append((name, text, f"{threshold:g}", measured.get(name)))
    for name, text in _DECISIONS.items():
        rows.append((f"{name}_at_tag_thresholds", text, "the tag's own", at_own.get(name)))
    return pd.DataFrame(
        [
            {
                **{"metric": name, "text": text, "threshold": above, "answer": answer},
                **{"value": value, "value_low": low, "value_high": high},
            }
            for name, text, above, value in rows
            for low, high in [known.get(name, (np.nan, np.nan))]
        ]
    )


def limits(measured: dict[str, Any]) -> dict[str, tuple[float, float]]:
    """Low and high of each metric of a metrics.json that has limits, by tracks."""
    by_tracks = measured.get("intervals", {}).get("tracks", {})
    return {
        name: (each["low"], each["high"])
        for name, each in by_tracks.items()
        if isinstance(each, dict) and "low" in each
    }


def epoch_choices(metrics: list[dict[str, Any]]) -> pd.DataFrame:
    """Say what the test clips give at each epoch that a published number might be of.

    Parameters
    ----------
    metrics
        Contents of the metrics.json of each model and seed trained in epochs.

    Returns
    -------
    table : (models x seeds x choices known, 8)
        model, seed, choice, epoch, roc_auc_macro, pr_auc_macro, loss, accuracy.
    """
    rows = [
        {"model": run["model"], "seed": run["seed"], "choice": text, **chosen}
        for run in metrics
        for name, text in _CHOICES.items()
        if (chosen := run["epoch_choices"].get(name))
    ]
    return pd.DataFrame(rows, columns=["model", "seed", "choice", "epoch", *_OF_EPOCHS])


def tag_scores(per_tag: pd.DataFrame) -> pd.DataFrame:
    """Take the seeds of each model together, tag by tag.

    Parameters
    ----------
    per_tag : (tags of all runs, ...)
        model, and the columns of per_tag.csv.

    Returns
    -------
    table : (tags x models, 13)
        tag, category, positives (test clips with the tag), share, model; roc_auc and pr_auc, each
        with its _std, _low and _high; NaN where all test clips or none have the tag.
    """
    by = ["tag", "category", "positives", "share", "model"]
    return summarise(_by_tracks(per_tag, _OF_TAGS), by, _OF_TAGS)


def category_scores(per_category: pd.DataFrame, metrics: list[dict[str, Any]]) -> pd.DataFrame:
    """Take the seeds of each model together, category by category; all tags first.

    Parameters
    ----------
    per_category : (categories of all runs, ...)
        model, and the columns of per_category.csv.
    metrics
        Contents of the metrics.json of each model and seed.

    Returns
    -------
    table : (categories x models, 17)
        category, tags, tags_scored, model; roc_auc, pr_auc and roc_auc_minus_rest (than that of
        all other tags), each with its _std, _low and _high; clear: "yes" where zero is outside the
        limits of the last, "no" where not, nothing for all tags.
    """
    every = [
        {
            **{"category": "all", "tags": run["n_tags"], "tags_scored": run["n_tags_scored"]},
            **{"model": run["model"], "roc_auc_minus_rest": np.nan},
            **{area: run[f"{area}_macro"] for area in _OF_TAGS},
            **{
                f"{area}_tracks_{side}": limit
                for area in _OF_TAGS
                for side, limit in zip(
                    ("low", "high"),
                    limits(run).get(f"{area}_macro", (np.nan, np.nan)),
                    strict=True,
                )
            },
        }
        for run in metrics
    ]
    rows = _by_tracks(pd.concat([pd.DataFrame(every), per_category]), _OF_CATEGORIES)
    table = summarise(rows, ["category", "tags", "tags_scored", "model"], _OF_CATEGORIES)
    low, high = (table[f"roc_auc_minus_rest_{side}"] for side in ("low", "high"))
    clear = np.where((low > 0) | (high < 0), "yes", "no")
    return table.assign(clear=np.where(low.isna(), "", clear))


def _by_tracks(table: pd.DataFrame, values: tuple[str, ...]) -> pd.DataFrame:
    """Take the limits by tracks for those of the values."""
    names = {
        f"{name}_tracks_{side}": f"{name}_{side}" for name in values for side in ("low", "high")
    }
    return table.rename(columns=names).astype(dict.fromkeys(values, float))


def side_by_side(
    table: pd.DataFrame, keys: list[str], values: tuple[str, ...], *, of: str = "model"
) -> pd.DataFrame:
    """Give each value of each model a column, with its deviation and limits, for readers.

    Parameters
    ----------
    table
        A row for each of the keys and models, in any order; of a key column that is not the first,
        what the first model has is shown.
    keys, values
        Names of columns; a value may have those of `seeds.summarise`, too.
    of
        The column of the models.

    Returns
    -------
    table
        The keys, then "<model> <value>" for each value, and each model.
    """
    models = table[of].unique()
    wide = table.drop_duplicates(keys[0]).set_index(keys[0])[keys[1:]]
    for value in values:
        names = [value, *(f"{value}_{suffix}" for suffix in ("std", "low", "high"))]
        columns = [name for name in names if name in table]
        for model in models:
            rows = table[table[of] == model].set_index(keys[0])
            wide = wide.join(rows[columns].add_prefix(f"{model} "))
    return wide.reset_index()
