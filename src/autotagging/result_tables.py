"""Tables of what was measured: all metrics, by tag, by category, by epoch, and Table 4 (sec. III).

All take several seeds of a model together, as `seeds.summarise` does. Limits are those of the
confidence interval by tracks, as clips of a track are alike.
"""

from typing import Any

import numpy as np
import pandas as pd

from autotagging.seeds import summarise

CHANCE = 0.5
"""ROC-AUC of any answer that is the same for every clip, by definition."""

CONSTANT = {"prior": "each tag's share in training", "all_zero": "“no” to every tag"}
"""Answers that are the same for every clip: names in metrics.json, and for readers."""

MEASURED, CITED = "measured here", "cited"

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
_TABLE_4_COLUMNS = (
    *("source", "method", "year", "roc_auc", "roc_auc_std", "roc_auc_low", "roc_auc_high"),
    *("accuracy", "accuracy_std", "loss", "loss_std"),
    *("corpus", "split", "tags", "seeds", "epochs", "best_epoch"),
    *("comparable_with_paper", "citation", "note"),
)
_TAGS = {"merge": "merged", "keep": "raw"}


def all_metrics(metrics: list[dict[str, Any]]) -> pd.DataFrame:
    """List every metric of every model, and of answers that are the same for every clip.

    Parameters
    ----------
    metrics
        Contents of the metrics.json of each model and seed.

    Returns
    -------
    table : (metrics x answers, 8)
        metric (as in metrics.json), text (for readers), threshold (of the decisions: a number,
        "the tag's own", or nothing), answer (a model, or one of `CONSTANT`), value, value_std,
        value_low, value_high; NaN where undefined or not known.
    """
    first = metrics[0]
    rows = [_flat(run, run["model"], threshold=run["threshold"]) for run in metrics]
    for name, answer in CONSTANT.items():
        rows.append(_flat(first["baselines"][name], answer, threshold=first["threshold"]))
    return summarise(pd.concat(rows), ["metric", "text", "threshold", "answer"], ["value"])


def _flat(measured: dict[str, Any], answer: str, *, threshold: float) -> pd.DataFrame:
    """List the metrics of one model and seed with their limits, in the order for readers."""
    at_own, limits = measured.get("at_tag_thresholds", {}), _limits(measured)
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
            for low, high in [limits.get(name, (np.nan, np.nan))]
        ]
    )


def _limits(measured: dict[str, Any]) -> dict[str, tuple[float, float]]:
    """Low and high of each metric that has limits."""
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
                    _limits(run).get(f"{area}_macro", (np.nan, np.nan)),
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
        A row for each of the keys and models, in any order; a key column that is not the first
        has what the first model has.
    keys, values
        Names of columns; each value has those of `seeds.summarise`, too.
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
        columns = [value, *(f"{value}_{suffix}" for suffix in ("std", "low", "high"))]
        for model in models:
            rows = table[table[of] == model].set_index(keys[0])
            wide = wide.join(rows[columns].add_prefix(f"{model} "))
    return wide.reset_index()


def table_4(metrics: list[dict[str, Any]], published: list[dict[str, Any]]) -> pd.DataFrame:
    """Set ROC-AUC measured here above the paper's rows and newer ones, as cited.

    Parameters
    ----------
    metrics
        Contents of the metrics.json of each model and seed.
    published
        Cited rows: method, year, roc_auc, citation, tags, split, comparable, note; in the one of
        `this_paper` also epochs.

    Returns
    -------
    table : (rows, 20)
        source (`MEASURED`: models and answers of `CONSTANT`; or `CITED`), method, year; roc_auc
        (macro) with roc_auc_std, roc_auc_low and roc_auc_high, accuracy and loss with their _std
        (NaN for one seed, 0 if all are equal); corpus, split, tags; seeds (how many), epochs (of
        one training, or from - to), best_epoch (of each seed, in their order);
        comparable_with_paper ("yes" or "no"), citation, note.
    """
    paper = next((row for row in published if row.get("this_paper")), {})
    runs = pd.DataFrame([_run(each) for each in metrics])
    measured = [_measured_row(group, paper) for _, group in runs.groupby("method", sort=False)]
    same = ("source", "corpus", "split", "tags", "comparable_with_paper")
    constant = [
        {
            **{name: measured[0][name] for name in same},
            **{"method": method, "roc_auc": CHANCE, "note": "the same for every clip"},
            **{each: metrics[0]["baselines"][name].get(each) for each in ("accuracy", "loss")},
        }
        for name, method in CONSTANT.items()
    ]
    cited = [
        {
            "source": CITED,
            "corpus": "magnatagatune",
            **row,
            "epochs": str(row.get("epochs", "")),
            "comparable_with_paper": "yes" if row["comparable"] else "no",
        }
        for row in published
    ]
    table = pd.DataFrame(measured + constant + cited).reindex(columns=_TABLE_4_COLUMNS)
    table["epochs"] = table["epochs"].fillna("")
    numbers = [name for name in _TABLE_4_COLUMNS if name.startswith(("roc_", "accuracy", "loss"))]
    return table.astype({"year": "Int64", "seeds": "Int64", **dict.fromkeys(numbers, float)})


def _run(metrics: dict[str, Any]) -> dict[str, Any]:
    """Flatten one metrics.json to what the table needs; undefined numbers become NaN."""
    n_tags, n_scored = metrics["n_tags"], metrics["n_tags_scored"]
    scored = f", {n_scored} scored" if n_scored < n_tags else ""
    low, high = _limits(metrics).get("roc_auc_macro", (np.nan, np.nan))
    return {
        "method": metrics["model"],
        "corpus": metrics["corpus"],
        "split": metrics["split"],
        "epochs": metrics.get("epochs") or 0,
        "best_epoch": str(metrics.get("best_epoch") or ""),
        "tags": f"{n_tags} {_TAGS[metrics['synonyms']]}{scored}",
        **{"roc_auc": metrics["roc_auc_macro"], "roc_auc_low": low, "roc_auc_high": high},
        **{name: metrics[name] for name in ("accuracy", "loss")},
    }


def _measured_row(runs: pd.DataFrame, paper: dict[str, Any]) -> dict[str, Any]:
    """Take the seeds of one model together.

    Only the same corpus, split and tags make it comparable with the paper.
    """
    summary = summarise(runs, ["method", "corpus", "split"], ["roc_auc", "accuracy", "loss"])
    row = summary.iloc[0].to_dict()
    row["tags"] = "; ".join(runs["tags"].unique())
    same = [name for name in ("split", "tags") if row[name] == paper.get(name)]
    like_paper = row["corpus"] == "magnatagatune" and len(same) == 2
    return {
        **row,
        "source": MEASURED,
        "seeds": len(runs),
        "epochs": _epochs(runs["epochs"], paper),
        "best_epoch": "; ".join(epoch for epoch in runs["best_epoch"] if epoch),
        "comparable_with_paper": "yes" if like_paper else "no",
        "note": _corpus_note(row["corpus"], like_paper),
    }


def _epochs(epochs: pd.Series, paper: dict[str, Any]) -> str:
    """Say how long the trainings were, beside the paper's; nothing of a model without epochs."""
    low, high = epochs.min(), epochs.max()
    if not high:
        return ""
    of_paper = f" of {paper['epochs']}" if paper else ""
    return f"{high}{of_paper}" if low == high else f"{low} - {high}{of_paper}"


def _corpus_note(corpus: str, like_paper: bool) -> str:
    if corpus == "demo":
        return "synthetic demo corpus, not comparable with MagnaTagATune"
    if corpus != "magnatagatune":
        return "another corpus, not comparable with MagnaTagATune"
    return "" if like_paper else "another split or other tags than the paper's"
