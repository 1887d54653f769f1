"""Table 4: results measured here and published results (sec. III)."""

from typing import Any

import numpy as np
import pandas as pd

from autotagging.corpus.paths import is_magnatagatune, is_whole_magnatagatune
from autotagging.reporting.averaging import summarise
from autotagging.reporting.tables.metrics import baselines, limits

MEASURED, CITED = "measured here", "cited"
OF_PAPER, ORIENTATION, NEWER = "the paper's Table 4", "for orientation", "newer work"
"""Groups of rows: systems of the paper's Table 4, other measured models, and other cited ones."""

_COLUMNS = (
    "source",
    "group",
    "method",
    "model",
    "year",
    "roc_auc",
    "roc_auc_std",
    "roc_auc_low",
    "roc_auc_high",
    "paper_roc_auc",
    "accuracy",
    "accuracy_std",
    "loss",
    "loss_std",
    "trainable_parameters",
    "multiply_adds",
    "corpus",
    "split",
    "tags",
    "seeds",
    "epochs",
    "best_epoch",
    "comparable_with_paper",
    "citation",
    "note",
)
COSTS = ("trainable_parameters", "multiply_adds")
"""Entries of model.json that say what a model costs."""
_TAGS = {"merge": "merged", "keep": "raw"}


def table_4(metrics: list[dict[str, Any]], published: list[dict[str, Any]]) -> pd.DataFrame:
    """Tabulate the results measured here, then those cited from the paper and newer work.

    Parameters
    ----------
    metrics
        Results of each model and seed, from `inputs.read_results`.
    published
        Cited rows: method, year, roc_auc, citation, tags, split, comparable, note; model in the
        rows of the paper's Table 4: the model here that is this system; also epochs in the row with
        `this_paper`, and its tag_names.

    Returns
    -------
    table : (rows, 25)
        source (`MEASURED`: models and `baselines`; or `CITED`), group (`OF_PAPER`, in the order
        there; `ORIENTATION`; `NEWER`), method (the paper's name of the system, or the model's),
        model (empty if it is not measured here), year; roc_auc (macro) with roc_auc_std,
        roc_auc_low and roc_auc_high; paper_roc_auc (what the paper's Table 4 has for a measured
        system); accuracy and loss with their _std (NaN for one seed, 0 if all are equal);
        trainable_parameters, multiply_adds (to score one clip; of several seeds the most); corpus,
        split, tags; seeds (their number), epochs (of one training, or as lowest - highest),
        best_epoch (of each seed, in order); comparable_with_paper ("yes" or "no"), citation (of the
        system), note.
    """
    paper = next((row for row in published if row.get("this_paper")), {})
    systems = {row["model"]: row for row in published if "model" in row}
    runs = pd.DataFrame([_run(each) for each in metrics])
    models = [_measured_row(group, paper) for _, group in runs.groupby("model", sort=False)]
    same = ("source", "corpus", "split", "tags", "comparable_with_paper")
    others = [
        {
            **{name: models[0][name] for name in same},
            "group": ORIENTATION,
            "method": method,
            "roc_auc": values.get("roc_auc_macro"),
            "accuracy": values.get("accuracy"),
            "loss": values.get("loss"),
            "note": "audio-blind baseline",
        }
        for method, values in baselines(metrics).items()
    ]
    rows = _in_groups(models, systems) + others + [*map(_cited_row, published)]
    table = pd.DataFrame(rows).reindex(columns=_COLUMNS)
    table[["epochs", "model"]] = table[["epochs", "model"]].fillna("")
    reals = [name for name in _COLUMNS if name.startswith(("roc_", "paper_", "accuracy", "loss"))]
    whole = ("year", "seeds", "trainable_parameters", "multiply_adds")
    return table.astype(dict.fromkeys(whole, "Int64") | dict.fromkeys(reals, float))


def _in_groups(
    models: list[dict[str, Any]], systems: dict[str, dict[str, Any]]
) -> list[dict[str, Any]]:
    """Name the rows of models after the paper's systems, in its order; then all other models."""
    by_name = {row["model"]: row for row in models}
    of_paper = [
        {
            **by_name[model],
            "group": OF_PAPER,
            "paper_roc_auc": system["roc_auc"],
            **{name: system[name] for name in ("method", "year", "citation")},
        }
        for model, system in systems.items()
        if model in by_name
    ]
    others = [
        {**row, "group": ORIENTATION, "method": model}
        for model, row in by_name.items()
        if model not in systems
    ]
    return of_paper + others


def _cited_row(row: dict[str, Any]) -> dict[str, Any]:
    """Make a row of a published result."""
    return {
        "source": CITED,
        "group": OF_PAPER if "model" in row else NEWER,
        "corpus": "magnatagatune",
        **row,
        "method": f"{row['method']} (the paper)" if row.get("this_paper") else row["method"],
        "model": "",
        "epochs": str(row.get("epochs", "")),
        "comparable_with_paper": "yes" if row["comparable"] else "no",
    }


def _run(metrics: dict[str, Any]) -> dict[str, Any]:
    """Extract the values of the table from one metrics.json; undefined numbers become NaN."""
    n_tags, n_scored = metrics["n_tags"], metrics["n_tags_scored"]
    scored = f", {n_scored} scored" if n_scored < n_tags else ""
    low, high = limits(metrics).get("roc_auc_macro", (np.nan, np.nan))
    return {
        "model": metrics["model"],
        "corpus": metrics["corpus"],
        "split": metrics["split"],
        "epochs": metrics.get("epochs") or 0,
        "best_epoch": str(metrics.get("best_epoch") or ""),
        "tag_names": frozenset(metrics["tag_names"]),
        "tags": f"{n_tags} {_TAGS[metrics['synonyms']]}{scored}",
        "roc_auc": metrics["roc_auc_macro"],
        "roc_auc_low": low,
        "roc_auc_high": high,
        "accuracy": metrics["accuracy"],
        "loss": metrics["loss"],
        **{name: metrics.get(name) for name in COSTS},
    }


def _measured_row(runs: pd.DataFrame, paper: dict[str, Any]) -> dict[str, Any]:
    """Average the seeds of one model.

    It is comparable with the paper only on the same corpus, with all clips, split and tags, which
    are as many, merged and scored, and have the same names.
    """
    summary = summarise(runs, ["model", "corpus", "split"], ["roc_auc", "accuracy", "loss"])
    row = summary.iloc[0].to_dict()
    row["tags"] = "; ".join(runs["tags"].unique())
    same = [name for name in ("split", "tags") if row[name] == paper.get(name)]
    of_paper = frozenset(paper.get("tag_names", ()))
    same_names = all(names == of_paper for names in runs["tag_names"])
    like_paper = is_whole_magnatagatune(row["corpus"]) and len(same) == 2 and same_names
    return {
        **row,
        "source": MEASURED,
        "seeds": len(runs),
        **{name: runs[name].max() for name in COSTS},
        "epochs": _epochs(runs["epochs"], paper if row["model"] == paper.get("model") else {}),
        "best_epoch": "; ".join(epoch for epoch in runs["best_epoch"] if epoch),
        "comparable_with_paper": "yes" if like_paper else "no",
        "note": _corpus_note(row["corpus"], like_paper),
    }


def _epochs(epochs: pd.Series, paper: dict[str, Any]) -> str:
    """Format the epochs trained, and the paper's if there are any; empty without epochs."""
    low, high = epochs.min(), epochs.max()
    if not high:
        return ""
    of_paper = f" of {paper['epochs']}" if paper else ""
    return f"{high}{of_paper}" if low == high else f"{low} - {high}{of_paper}"


def _corpus_note(corpus: str, like_paper: bool) -> str:
    if corpus == "demo":
        return "synthetic demo corpus, not comparable with MagnaTagATune"
    if not is_magnatagatune(corpus):
        return "another corpus, not comparable with MagnaTagATune"
    notes = ["own files, audio not verified"] if corpus != "magnatagatune" else []
    if not is_whole_magnatagatune(corpus):
        notes.append("clips are missing")
    elif not like_paper:
        notes.append("split or tags differ from the paper's")
    return "; ".join(notes)
