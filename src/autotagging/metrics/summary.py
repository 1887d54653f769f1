"""All metrics of one model on the test clips, the headline first (sec. III)."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from autotagging.metrics.baselines import gains, measure_baselines
from autotagging.metrics.bootstrap import Areas
from autotagging.metrics.intervals import Resampled, intervals
from autotagging.metrics.scores import Scores, TestSet
from autotagging.training.epoch_metrics import has_both_classes


def summarise(
    test_set: TestSet,
    model: Scores,
    lookup: Scores,
    prior: np.ndarray,
    resampled: Mapping[str, tuple[Resampled, Areas]],
    *,
    confidence: float,
) -> dict[str, Any]:
    """Collect all metrics of a model, the headline first.

    Parameters
    ----------
    test_set
        Labels of the test clips.
    model, lookup
        Scores of the model and of the lookup baseline.
    prior : (tags,)
        Share of training clips with the tag.
    resampled
        Metrics of the model and areas of the lookup baseline in the same resamples, by sampling
        unit.
    confidence
        Share of the resamples within an interval.

    Returns
    -------
    summary
        Result of `TestSet.measure`; intervals by sampling unit; baselines; gains over them.
    """
    scored = has_both_classes(test_set.test)
    measured = test_set.measure(model)
    baselines = measure_baselines(test_set, prior=prior, lookup=lookup)
    return {
        **measured,
        "confidence": confidence,
        "intervals": {
            unit: intervals(*both, scored, confidence=confidence)
            for unit, both in resampled.items()
        },
        "baselines": baselines,
        "gains": {f"over_{name}": gains(measured, each) for name, each in baselines.items()},
    }
