"""The macro ROC-AUC on the validation clips, by which parameters are chosen."""

import numpy as np
import pytest

from autotagging.metrics.settings import Bootstrap
from autotagging.metrics.validation import validation_summary

# Tag a: of the 3 x 3 pairs of a positive and a negative, 7 are in order. Tag b: all 4 x 2 are, one
# half. Tag c has no positive.
LABELS = np.array([[1, 1, 0], [1, 1, 0], [1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 0]], np.uint8)
SCORES = np.array(
    [
        [0.9, 0.5, 0.1],
        [0.8, 0.5, 0.2],
        [0.3, 0.5, 0.3],
        [0.6, 0.5, 0.4],
        [0.4, 0.5, 0.5],
        [0, 0.5, 0],
    ]
)
SETTINGS = Bootstrap(resamples=200, confidence=0.9, bootstrap_seed=0)


def test_the_mean_is_over_tags_with_both_classes():
    summary = validation_summary(LABELS, SCORES, np.arange(6), SETTINGS)
    assert summary["roc_auc_macro"] == pytest.approx((7 / 9 + 0.5) / 2)
    assert (summary["n_clips"], summary["n_tags_scored"]) == (6, 2)
    limits = summary["intervals"]["artists"]["roc_auc_macro"]
    assert 0 < limits["low"] < summary["roc_auc_macro"] < limits["high"] <= 1


def test_with_one_artist_there_are_no_limits():
    """Each resample would be all clips, and the interval a point."""
    summary = validation_summary(LABELS, SCORES, np.zeros(6, int), SETTINGS)
    assert summary["roc_auc_macro"] == pytest.approx((7 / 9 + 0.5) / 2)
    assert summary["intervals"]["artists"] == {"roc_auc_macro": None, "groups": 1}
    two = validation_summary(LABELS, SCORES, np.arange(6) % 2, SETTINGS)
    assert two["intervals"]["artists"]["groups"] == 2
    assert two["intervals"]["artists"]["roc_auc_macro"] is not None


def test_without_a_tag_that_has_both_classes_nothing_is_defined():
    summary = validation_summary(LABELS[:1], SCORES[:1], np.arange(1), SETTINGS)
    assert summary["roc_auc_macro"] is None
    assert summary["intervals"]["artists"]["roc_auc_macro"] is None
