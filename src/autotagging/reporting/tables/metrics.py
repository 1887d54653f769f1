"""Table of all metrics, of models and of audio-blind baselines (sec. III).

Limits are those of the confidence interval by artists, because clips of an artist are alike.
"""

from typing import Any

import numpy as np
import pandas as pd

from autotagging.dataset.groups import INTERVAL_UNIT
from autotagging.reporting.averaging import summarise

CHANCE = 0.5
"""Macro ROC-AUC of scores that are the same for every clip, by definition."""

CONSTANT = {"prior": "each tag's share in training", "all_zero": "“no” to every tag"}
"""Baselines that are the same for every clip: names in metrics.json and for readers."""

_AVERAGES = {"macro": "mean over tags (macro)", "micro": "all decisions together (micro)"}


def baselines(metrics: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Give the audio-blind baselines (lookup and `CONSTANT`) that are not models of the run.

    Parameters
    ----------
    metrics
        Contents of the metrics.json of each model and seed; baselines come from the first.

    Returns
    -------
    baselines
        Metrics of each baseline, by its name for readers.
    """
    names = {"lookup": "lookup", **CONSTANT}
    models = {run["model"] for run in metrics}
    measured = metrics[0]["baselines"]
    return {text: measured[name] for name, text in names.items() if text not in models}


def all_metrics(metrics: list[dict[str, Any]]) -> pd.DataFrame:
    """List every metric of every model, and of the audio-blind baselines.

    Parameters
    ----------
    metrics
        Contents of the metrics.json of each model and seed.

    Returns
    -------
    table : (metrics x answers, 8)
        metric (as in metrics.json), text (for readers), threshold (a number, "the tag's own", or
        empty), answer (a model, or one of `baselines`), value, value_std, value_low, value_high;
        NaN where undefined or unknown.
    """
    rows = [_flat(run, run["model"], threshold=run["threshold"]) for run in metrics]
    for answer, measured in baselines(metrics).items():
        rows.append(_flat(measured, answer, threshold=metrics[0]["threshold"]))
    return summarise(pd.concat(rows), ["metric", "text", "threshold", "answer"], ["value"])


def _flat(measured: dict[str, Any], answer: str, *, threshold: float) -> pd.DataFrame:
    """List the metrics of one model and seed with their limits, in the order of the table."""
    at_own, known = measured.get("at_tag_thresholds", {}), limits(measured)
    scores, decisions = _titles()
    rows = [(name, text, "", measured.get(name)) for name, text in scores.items()]
    for k, value in measured.get("precision_at", {}).items():
        rows.append((f"precision_at_{k}", f"precision at {k}, mean over clips", "", value))
    for name, text in decisions.items():
        rows.append((name, text, f"{threshold:g}", measured.get(name)))
    for name, text in decisions.items():
        rows.append((f"{name}_at_tag_thresholds", text, "the tag's own", at_own.get(name)))
    return pd.DataFrame(
        [
            {
                "metric": name,
                "text": text,
                "threshold": above,
                "answer": answer,
                "value": value,
                "value_low": low,
                "value_high": high,
            }
            for name, text, above, value in rows
            for low, high in [known.get(name, (np.nan, np.nan))]
        ]
    )


def _titles() -> tuple[dict[str, str], dict[str, str]]:
    """Give the names for readers of metrics without a threshold, and of those with one."""
    from autotagging.metrics.decisions import RATES
    from autotagging.metrics.table import METRICS  # loads scikit-learn, which is slow

    scores = {name: metric.title for name, metric in METRICS.items()}
    decisions = {
        f"{rate}_{average}": f"{title}, {text}"
        for average, text in _AVERAGES.items()
        for rate, title in RATES.items()
    }
    return (
        {**scores, "calibration_error": "expected calibration error"},
        {"accuracy": "accuracy", **decisions},
    )


def limits(measured: dict[str, Any]) -> dict[str, tuple[float, float]]:
    """Give low and high of each metric of a metrics.json that has limits, by artists."""
    shown = measured.get("intervals", {}).get(INTERVAL_UNIT, {})
    return {
        name: (each["low"], each["high"])
        for name, each in shown.items()
        if isinstance(each, dict) and "low" in each
    }
