"""Table 4: results measured here and published results (sec. III)."""

from typing import Any

import numpy as np
import pandas as pd

from autotagging.reporting.averaging import summarise
from autotagging.reporting.tables.metrics import baselines, limits

MEASURED, CITED = "measured here", "cited"

_COLUMNS = (
    "source",
    "method",
    "year",
    "roc_auc",
    "roc_auc_std",
    "roc_auc_low",
    "roc_auc_high",
    "accuracy",
    "accuracy_std",
    "loss",
    "loss_std",
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
_TAGS = {"merge": "merged", "keep": "raw"}


def table_4(metrics: list[dict[str, Any]], published: list[dict[str, Any]]) -> pd.DataFrame:
    """Tabulate the results measured here, then those cited from the paper and newer work.

    Parameters
    ----------
    metrics
        Contents of the metrics.json of each model and seed.
    published
        Cited rows: method, year, roc_auc, citation, tags, split, comparable, note; also epochs in
        the row with `this_paper`.

    Returns
    -------
    table : (rows, 20)
        source (`MEASURED`: models and `baselines`; or `CITED`), method, year; roc_auc
        (macro) with roc_auc_std, roc_auc_low and roc_auc_high, accuracy and loss with their _std
        (NaN for one seed, 0 if all are equal); corpus, split, tags; seeds (their number), epochs
        (of one training, or as lowest - highest), best_epoch (of each seed, in order);
        comparable_with_paper ("yes" or "no"), citation, note.
    """
    paper = next((row for row in published if row.get("this_paper")), {})
    runs = pd.DataFrame([_run(each) for each in metrics])
    measured = [_measured_row(group, paper) for _, group in runs.groupby("method", sort=False)]
    same = ("source", "corpus", "split", "tags", "comparable_with_paper")
    others = [
        {
            **{name: measured[0][name] for name in same},
            "method": method,
            "roc_auc": values.get("roc_auc_macro"),
            "accuracy": values.get("accuracy"),
            "loss": values.get("loss"),
            "note": "audio-blind baseline",
        }
        for method, values in baselines(metrics).items()
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
    table = pd.DataFrame(measured + others + cited).reindex(columns=_COLUMNS)
    table["epochs"] = table["epochs"].fillna("")
    numbers = [name for name in _COLUMNS if name.startswith(("roc_", "accuracy", "loss"))]
    return table.astype({"year": "Int64", "seeds": "Int64", **dict.fromkeys(numbers, float)})


def _run(metrics: dict[str, Any]) -> dict[str, Any]:
    """Extract the values of the table from one metrics.json; undefined numbers become NaN."""
    n_tags, n_scored = metrics["n_tags"], metrics["n_tags_scored"]
    scored = f", {n_scored} scored" if n_scored < n_tags else ""
    low, high = limits(metrics).get("roc_auc_macro", (np.nan, np.nan))
    return {
        "method": metrics["model"],
        "corpus": metrics["corpus"],
        "split": metrics["split"],
        "epochs": metrics.get("epochs") or 0,
        "best_epoch": str(metrics.get("best_epoch") or ""),
        "tags": f"{n_tags} {_TAGS[metrics['synonyms']]}{scored}",
        "roc_auc": metrics["roc_auc_macro"],
        "roc_auc_low": low,
        "roc_auc_high": high,
        "accuracy": metrics["accuracy"],
        "loss": metrics["loss"],
    }


def _measured_row(runs: pd.DataFrame, paper: dict[str, Any]) -> dict[str, Any]:
    """Average the seeds of one model.

    It is comparable with the paper only on the same corpus, split and tags.
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
    """Format the epochs trained and the paper's; empty for a model without epochs."""
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
    return "" if like_paper else "split or tags differ from the paper's"
