"""What the models cost, next to how well they rank (sec. III)."""

from typing import Any

import numpy as np
import pandas as pd

from autotagging.reporting.averaging import summarise
from autotagging.reporting.tables.metrics import limits
from autotagging.reporting.tables.published import COSTS


def cost_table(runs: list[dict[str, Any]]) -> pd.DataFrame:
    """Tabulate the macro ROC-AUC and the cost of each model that reads audio.

    Parameters
    ----------
    runs
        Results of each model and seed, from `inputs.read_results`.

    Returns
    -------
    table : (models, ...)
        model; roc_auc with _low and _high, as in `averaging.summarise`;
        trainable_parameters, multiply_adds (to score one clip), of several seeds the most, NaN
        where unknown.
    """
    columns = ["model", "roc_auc", "roc_auc_low", "roc_auc_high", *COSTS]
    rows = pd.DataFrame([_row(run) for run in runs if run["reads_audio"]], columns=columns)
    if rows.empty:
        return rows
    table = summarise(rows, ["model"], ["roc_auc"])
    most = rows.astype(dict.fromkeys(COSTS, float)).groupby("model", sort=False)[[*COSTS]].max()
    return table.join(most, on="model")


def _row(run: dict[str, Any]) -> dict[str, Any]:
    low, high = limits(run).get("roc_auc_macro", (np.nan, np.nan))
    area = run["roc_auc_macro"]
    costs = {name: run[name] for name in COSTS}
    return {
        "model": run["model"],
        "roc_auc": np.nan if area is None else area,
        "roc_auc_low": low,
        "roc_auc_high": high,
        **costs,
    }
