"""Audio-blind baselines that every model is compared with, and its gain over each (sec. III)."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from autotagging.metrics.scores import Scores, TestSet

# Not defined for all_zero: the loss is infinite, and all tags are tied.
_NOT_OF_ZEROS = ("loss", "calibration_error", "precision_at", "at_tag_thresholds")


def measure_baselines(
    test_set: TestSet, *, prior: np.ndarray, lookup: Scores
) -> dict[str, dict[str, Any]]:
    """Measure the audio-blind baselines.

    Parameters
    ----------
    test_set
        Labels of the test clips.
    prior : (tags,)
        Share of training clips with the tag.
    lookup
        Scores of the model lookup.

    Returns
    -------
    baselines
        Metrics that are defined for each baseline: all_zero (no tag is predicted; the loss is
        infinite, and all tags are tied), prior (each clip gets the shares as scores), lookup.
    """
    zeros, shares = (
        Scores(*(np.broadcast_to(row, y.shape) for y in (test_set.test, test_set.validation)))
        for row in (np.zeros(len(prior)), prior)
    )
    measured = {
        "all_zero": _numbers(test_set.measure(zeros)),
        "prior": _numbers(test_set.measure(shares)),
        "lookup": _numbers(test_set.measure(lookup)),
    }
    for name in _NOT_OF_ZEROS:
        del measured["all_zero"][name]
    return measured


def _numbers(measured: Mapping[str, Any]) -> dict[str, Any]:
    """Drop entries that are counts or settings instead of metrics."""
    return {k: v for k, v in measured.items() if not k.startswith(("n_", "tags_", "threshold"))}


def gains(model: Mapping[str, Any], baseline: Mapping[str, Any]) -> dict[str, Any]:
    """Subtract the metrics of a baseline from those of a model, where both are defined."""
    differences = {}
    for name, value in baseline.items():
        if isinstance(value, Mapping):
            differences[name] = gains(model[name], value)
        elif value is not None and model[name] is not None:
            differences[name] = model[name] - value
    return differences
