import numpy as np
import pytest
from sklearn.metrics import f1_score, precision_recall_fscore_support, roc_auc_score

from autotagging.metrics import averages as metrics
from autotagging.metrics import decisions

LABELS = np.array([[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 1]])
SCORES = np.array([[0.9, 0.5, 0.5], [0.5, 0.5, 0.1], [0.9, 0.8, 0.2], [0.3, 0.3, 0.3]])
"""Four clips, three tags, with ties."""


def random_answers(clips=200, tags=7):
    rng = np.random.default_rng(0)
    labels = (rng.random((clips, tags)) < 0.3).astype(np.uint8)
    return labels, (rng.random((clips, tags)) * 0.6 + labels * 0.4).round(1)


def test_areas_of_clips_by_hand():
    # Clip 1: a above b and c: 2 of 2. Clip 2: b ties with a, beats c: 1.5 of 2. Clip 3: a and b
    # beat c: 2 of 2. Clip 4: c ties with both: 1 of 2.
    assert decisions.roc_auc_by_clip(LABELS, SCORES).tolist() == [1, 0.75, 1, 0.5]


def test_areas_of_clips_agree_with_scikit_learn():
    labels, scores = random_answers()
    labels[0], labels[1] = 0, 1
    areas = decisions.roc_auc_by_clip(labels, scores)
    assert np.isnan(areas[:2]).all()
    known = [i for i in range(len(labels)) if 0 < labels[i].sum() < labels.shape[1]]
    expected = [roc_auc_score(labels[i], scores[i]) for i in known]
    np.testing.assert_allclose(areas[known], expected, atol=1e-12)
    samples = metrics.evaluate(labels, scores, "abcdefg")["roc_auc_samples"]
    assert samples == pytest.approx(np.mean(expected))


def test_precision_at_k_by_hand():
    # Of the two highest: clip 1 has a (right), and b or c (wrong): 1 of 2. Clip 2: a and b: 1.
    # Clip 3: a and b: 2. Clip 4: two of three that tie, of which one is right: 2/3 to be expected.
    assert decisions.precision_at_k(LABELS, SCORES, 2).tolist() == pytest.approx(
        [1 / 2, 1 / 2, 1, 1 / 3]
    )
    assert decisions.precision_at_k(LABELS, SCORES, 1).tolist() == [1, 0.5, 1, pytest.approx(1 / 3)]


def test_clips_without_a_tag_have_no_precision_and_too_many_tags_have_none():
    labels = LABELS.copy()
    labels[1] = 0
    result = metrics.evaluate(labels, SCORES, "abc", precision_at=[1, 3, 5])
    # Of all three tags, clip 1 has one, clip 3 two, clip 4 one.
    by_k = {"1": pytest.approx((1 + 1 + 1 / 3) / 3), "3": pytest.approx(4 / 9), "5": None}
    assert result["precision_at"] == by_k
    assert result["n_clips_with_tags"] == 3


def test_rates_agree_with_scikit_learn():
    labels, scores = random_answers()
    scores[:, 3] = 0  # a tag that is never given
    given = scores > 0.5
    expected = precision_recall_fscore_support(labels, given, average=None, zero_division=0)[:3]
    np.testing.assert_allclose(
        decisions.rates(*decisions.counts_by_tag(labels, given)), expected, atol=1e-12
    )
    means = decisions.mean_rates(labels, given, scored=np.ones(7, bool))
    for average in ("macro", "micro"):
        expected = precision_recall_fscore_support(labels, given, average=average, zero_division=0)
        found = [means[f"{name}_{average}"] for name in decisions.RATES]
        assert found == pytest.approx(expected[:3])


def test_macro_rates_leave_tags_out_that_are_not_scored():
    labels, given = np.array([[1, 0], [0, 0]]), np.array([[1, 1], [0, 0]])
    means = decisions.mean_rates(labels, given, scored=np.array([True, False]))
    assert (means["precision_macro"], means["precision_micro"]) == (1, 0.5)
    none = decisions.mean_rates(labels, given, scored=np.array([False, False]))
    assert none["f1_macro"] is None


def test_best_thresholds_by_hand():
    # Tag a: positives 0.8 and 0.4, a negative at 0.6. Above 0.7 F1 is 2 / 3, above 0.5 2 / 4 and
    # above 0.3 4 / 5. Tag b has no positive. Tag c: all clips have it.
    labels = np.array([[1, 0, 1], [0, 0, 1], [1, 0, 1], [0, 0, 1]])
    scores = np.array([[0.8, 0.1, 0.9], [0.6, 0.2, 0.2], [0.4, 0.3, 0.4], [0.2, 0.4, 0.7]])
    thresholds = decisions.best_thresholds(labels, scores, otherwise=0.6)
    assert thresholds.tolist() == pytest.approx([0.3, 0.6, 0])


def test_of_equal_f1_the_highest_threshold_is_taken():
    # Above 0.6 and above 0.1 F1 is 2 / 3 and 2 * 2 / 6; the scores that tie are not parted.
    labels = np.array([[1], [0], [1], [0]])
    scores = np.array([[0.9], [0.3], [0.3], [0.3]])
    assert decisions.best_thresholds(labels, scores, otherwise=0.5).tolist() == pytest.approx([0.6])


def test_no_other_threshold_has_a_higher_f1():
    labels, scores = random_answers()
    thresholds = decisions.best_thresholds(labels, scores, otherwise=0.5)
    for truth, score, threshold in zip(labels.T, scores.T, thresholds, strict=True):
        best = f1_score(truth, score > threshold)
        assert all(f1_score(truth, score > other / 20) <= best for other in range(20))
