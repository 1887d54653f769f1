"""Contents of the report's first page: results, baselines and the paper's numbers."""

from typing import Any

import numpy as np
import pandas as pd

from autotagging.dataset.groups import INTERVAL_UNIT
from autotagging.reporting.tables.counts import millions, whole
from autotagging.reporting.tables.metrics import CONSTANT
from autotagging.reporting.tables.published import MEASURED, table_4
from autotagging.reporting.tables.scores import FEW_ARTISTS

_MEASURES = ("roc_auc_macro", "pr_auc_macro", "accuracy", "loss")
_CHOICE = "validation_roc_auc_macro"
_TOP = 8  # predicted tags shown per clip
_EXTREMES = 5  # number of best, and of worst, tags shown


def comparison(
    metrics: list[dict[str, Any]], published: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Compare the models with audio-blind baselines and with the paper.

    Parameters
    ----------
    metrics
        Results of each model and seed, from `inputs.read_results`.
    published
        Cited rows; see `tables.published.table_4`.

    Returns
    -------
    rows
        Rows of `table_4`; the only cited row is the paper's. Each also has its kind ("audio",
        "tables", "constant" or "cited"), a note that explains it, and parameters and multiply_adds
        (in millions, per clip) as texts.
    """
    table = table_4(metrics, published)
    measured = table["source"] == MEASURED
    comparable = (table.loc[measured, "comparable_with_paper"] == "yes").any()
    paper = "MagnaTagATune, the same split and tags" if comparable else "MagnaTagATune"
    warning = "" if comparable else "; not comparable with this run"
    notes = {
        "audio": "reads audio",
        "tables": "audio-blind: reads track, album and artist",
        "constant": "audio-blind: the same for every clip",
        "cited": f"cited: {paper}{warning}",
    }
    shown = [True] * measured.sum() + [bool(row.get("this_paper")) for row in published]
    readers, rows = readers_of_audio(metrics), []
    for row in table[shown].to_dict("records"):
        if row["source"] != MEASURED:
            kind = "cited"
        elif row["method"] in CONSTANT.values():
            kind = "constant"
        else:
            kind = "audio" if row["model"] in readers else "tables"
        costs = {"parameters": whole(row["trainable_parameters"])}
        costs["multiply_adds"] = millions(row["multiply_adds"])
        rows.append({**row, **costs, "kind": kind, "note": notes[kind]})
    return rows


def readers_of_audio(metrics: list[dict[str, Any]]) -> list[str]:
    """Name the models that read audio, in their order; others read tables of the corpus."""
    return list(dict.fromkeys(run["model"] for run in metrics if run["reads_audio"]))


def headline(metrics: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Choose the numbers that `dvc metrics` compares between experiments.

    Parameters
    ----------
    metrics
        Contents of the metrics.json of each model and seed.

    Returns
    -------
    headline
        By model: means over its seeds of roc_auc_macro, pr_auc_macro, accuracy and loss, and of
        validation_roc_auc_macro, by which parameters are chosen (None where undefined). By baseline
        that is not one of the models: the same numbers of the test clips.
    """
    runs = pd.DataFrame(metrics)
    runs[_CHOICE] = [run["validation"]["roc_auc_macro"] for run in metrics]
    means = runs[[*_MEASURES, _CHOICE]].astype(float).groupby(runs["model"], sort=False).mean()
    models = means.astype(object).where(means.notna(), None).to_dict("index")
    others = {
        name: {each: value for each, value in baseline.items() if each in _MEASURES}
        for name, baseline in metrics[0]["baselines"].items()
        if name not in models
    }
    return {**models, **others}


def gain_over_lookup(metrics: list[dict[str, Any]]) -> dict[str, Any]:
    """Compare the first model that reads audio with the baseline lookup, on the same clips.

    Parameters
    ----------
    metrics
        Results of each model and seed, from `inputs.read_results`.

    Returns
    -------
    gain
        model, lookup (its macro ROC-AUC), difference, low and high (of the interval by artists;
        None if it is undefined), as means over the seeds. Empty if no model reads audio or no tag
        is scored.
    """
    runs = [run for run in metrics if run["model"] in readers_of_audio(metrics)[:1]]
    differences = [run["gains"]["over_lookup"].get("roc_auc_macro") for run in runs]
    if not runs or None in differences:
        return {}
    known = [run["intervals"][INTERVAL_UNIT]["gain_over_lookup"]["roc_auc_macro"] for run in runs]
    sides = dict.fromkeys(("low", "high"))
    if None not in known:
        sides = {side: float(np.mean([each[side] for each in known])) for side in sides}
    return {
        "model": runs[0]["model"],
        "lookup": runs[0]["baselines"]["lookup"]["roc_auc_macro"],
        "difference": float(np.mean(differences)),
        **sides,
    }


def compared_with_lookup(metrics: list[dict[str, Any]]) -> bool:
    """Tell whether `lookup` is one of several models, which the table differences compares."""
    models = {run["model"] for run in metrics}
    return len(models) > 1 and "lookup" in models


def category(per_category: pd.DataFrame, name: str) -> dict[str, Any]:
    """Compare a model's gain over `lookup` on the tags of a category with that on all other tags.

    The plain difference between a category and the rest shows how hard its tags are as well.

    Parameters
    ----------
    per_category : (categories, ...)
        Columns of per_category.csv.
    name
        Name of the category.

    Returns
    -------
    finding
        The row, with verdict on the gain: "larger", "smaller" or "no different", or empty without
        an interval. Empty without such a category or without others.
    """
    rows = per_category[per_category["category"] == name]
    if rows.empty or rows["gain_over_lookup_minus_rest"].isna().all():
        return {}
    row = rows.iloc[0].to_dict()
    sides = [f"gain_over_lookup_minus_rest_{INTERVAL_UNIT}_{side}" for side in ("low", "high")]
    low, high = (row[side] for side in sides)
    if np.isnan(low):
        return {**row, "verdict": ""}
    return {**row, "verdict": "larger" if low > 0 else "smaller" if high < 0 else "no different"}


def tag_ranking(per_tag: pd.DataFrame) -> dict[str, Any]:
    """Name the tags of highest and lowest ROC-AUC.

    Parameters
    ----------
    per_tag : (tags, ...)
        tag, positives and artists (test clips and artists with it), roc_auc (NaN where undefined).

    Returns
    -------
    ranking
        scored (rows, in the order of the table), unscored (names), best and worst (five rows each,
        fewer if there are fewer than ten tags; ties in the order of the table), at_least (the
        fewest test artists of best and worst tags; 1 if fewer than ten tags have `FEW_ARTISTS`).
    """
    known = per_tag[per_tag["roc_auc"].notna()]
    enough = known[known["artists"] >= FEW_ARTISTS]
    ranked = enough if len(enough) >= 2 * _EXTREMES else known
    ends = min(_EXTREMES, len(ranked) // 2)
    best, worst = (
        ranked.sort_values("roc_auc", ascending=ascending, kind="stable").to_dict("records")[:ends]
        for ascending in (False, True)
    )
    return {
        "scored": known.to_dict("records"),
        "unscored": per_tag.loc[per_tag["roc_auc"].isna(), "tag"].tolist(),
        "best": best,
        "worst": worst,
        "at_least": FEW_ARTISTS if ranked is enough else 1,
    }


def example_clips(predictions: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    """Choose the clips with the best, median and worst ROC-AUC over tags.

    Only clips with both present and absent tags have a ROC-AUC. Of several best or worst clips,
    the lowest clip_id is taken; the median is the lower of two.

    Parameters
    ----------
    predictions
        clip_id (clips,), scores and labels (clips, tags), tags (tags,).

    Returns
    -------
    clips
        which ("best", "median", "worst"), clip_id, roc_auc; top (rows of tag, score, actual and
        rank, highest score first), missed (the same of actual tags that are not in top), actual
        (names). Fewer than three if fewer clips have a ROC-AUC.
    """
    from sklearn.metrics import roc_auc_score  # slow to import

    labels, scores, clip_ids = (predictions[name] for name in ("labels", "scores", "clip_id"))
    positives = labels.sum(axis=1)
    rows = np.flatnonzero((positives > 0) & (positives < labels.shape[1]))
    if not len(rows):
        return []
    aucs = np.array([roc_auc_score(labels[row], scores[row]) for row in rows])
    rising = rows[np.lexsort((clip_ids[rows], aucs))]
    falling = rows[np.lexsort((clip_ids[rows], -aucs))]
    by_row = dict(zip(rows, aucs, strict=True))
    chosen = {"best": falling[0], "median": rising[(len(rising) - 1) // 2], "worst": rising[0]}
    first = {row: which for which, row in reversed(chosen.items())}
    return [
        {
            "which": which,
            "clip_id": int(clip_ids[row]),
            "roc_auc": float(by_row[row]),
            **_tags_of_clip(scores[row], labels[row], predictions["tags"]),
        }
        for which, row in chosen.items()
        if first[row] == which
    ]


def _tags_of_clip(scores: np.ndarray, labels: np.ndarray, tags: np.ndarray) -> dict[str, Any]:
    ranked = [
        {
            "tag": str(tags[tag]),
            "score": float(scores[tag]),
            "actual": bool(labels[tag]),
            "rank": rank,
        }
        for rank, tag in enumerate(np.argsort(-scores, kind="stable"), start=1)
    ]
    return {
        "top": ranked[:_TOP],
        "missed": [row for row in ranked[_TOP:] if row["actual"]],
        "actual": [str(tag) for tag, label in zip(tags, labels, strict=True) if label],
    }
