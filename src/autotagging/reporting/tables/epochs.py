"""Table of results at each epoch that a published number may come from (sec. III)."""

from typing import Any

import pandas as pd

_OF_EPOCHS = ("roc_auc_macro", "pr_auc_macro", "loss", "accuracy")
_CHOICES = {
    "best_on_validation": "best on validation (the reported epoch)",
    "last": "last",
    "upper_bound_best_on_test": "best on test (upper bound: chosen on the test clips)",
}


def epoch_choices(metrics: list[dict[str, Any]]) -> pd.DataFrame:
    """List the results on the test clips at each epoch that a published number may come from.

    Parameters
    ----------
    metrics
        Contents of the metrics.json of each model and seed trained in epochs.

    Returns
    -------
    table : (models x seeds x known choices, 8)
        model, seed, choice, epoch, roc_auc_macro, pr_auc_macro, loss, accuracy.
    """
    rows = [
        {"model": run["model"], "seed": run["seed"], "choice": text, **chosen}
        for run in metrics
        for name, text in _CHOICES.items()
        if (chosen := run["epoch_choices"].get(name))
    ]
    return pd.DataFrame(rows, columns=["model", "seed", "choice", "epoch", *_OF_EPOCHS])
