"""Table of the test clips at each epoch that a published number might be of (sec. III)."""

from typing import Any

import pandas as pd

_OF_EPOCHS = ("roc_auc_macro", "pr_auc_macro", "loss", "accuracy")
_CHOICES = {
    "best_on_validation": "best on validation (the headline)",
    "last": "last",
    "upper_bound_best_on_test": "best on test (an upper bound: it chose what it is measured by)",
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
