import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from autotagging.metrics import averages as metrics

LABELS = np.array([[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 0]])
SCORES = np.array([[0.9, 0.2, 0.1], [0.4, 0.8, 0.6], [0.4, 0.1, 0.2], [0.1, 0.3, 0.1]])
"""By hand: tag a ranks 3.5 of 4 pairs right (one tie), tag b 2 of 4; tag c has no positive."""


def test_macro_roc_auc_by_hand():
    result = metrics.evaluate(LABELS, SCORES, ["a", "b", "c"])
    assert result["roc_auc_macro"] == pytest.approx((3.5 / 4 + 2 / 4) / 2)
    assert result["tags_not_scored"] == ["c"]
    assert (result["n_clips"], result["n_tags"], result["n_tags_scored"]) == (4, 3, 2)


def test_a_tag_that_all_clips_have_is_not_scored():
    with_d = np.column_stack([LABELS, np.ones(4, int)]), np.column_stack([SCORES, SCORES[:, 0]])
    result = metrics.evaluate(*with_d, "abcd")
    assert result["tags_not_scored"] == ["c", "d"]
    without = metrics.evaluate(LABELS, SCORES, "abc")
    for name in ("roc_auc_macro", "roc_auc_weighted", "pr_auc_macro", "f1_macro"):
        assert result[name] == without[name]


def test_clips_average_over_those_with_a_tag():
    # clip 1: a above b and c: 1; clip 2: b above a and c: 1; clip 3: a and b against c:
    # one right, one wrong: 0.5; clip 4 has no tag.
    result = metrics.evaluate(LABELS, SCORES, ["a", "b", "c"])
    assert result["roc_auc_samples"] == pytest.approx((1 + 1 + 0.5) / 3)


def test_accuracy_decides_above_the_threshold():
    # Wrong at 0.5: clip 2 has c, clip 3 lacks a and b: 3 of 12.
    assert metrics.evaluate(LABELS, SCORES, "abc")["accuracy"] == pytest.approx(9 / 12)
    # At 0.35 clip 2 has a as well, and clip 3 has a.
    assert metrics.evaluate(LABELS, SCORES, "abc", threshold=0.35)["accuracy"] == pytest.approx(
        9 / 12
    )
    assert metrics.accuracy(LABELS, SCORES, threshold=0.95) == pytest.approx(8 / 12)
    # A score of 0.2 is not above 0.2: clip 2 has a and c as well, clip 3 lacks b, clip 4 has b.
    assert metrics.evaluate(LABELS, SCORES, "abc", threshold=0.2)["accuracy"] == 8 / 12
    assert metrics.measure_epoch(LABELS, SCORES, threshold=0.2)["accuracy"] == 8 / 12


def test_averages_agree_with_scikit_learn():
    rng = np.random.default_rng(0)
    labels = (rng.random((60, 5)) < 0.3).astype(int)
    scores = rng.random((60, 5)).round(1)  # with ties
    result = metrics.evaluate(labels, scores, "abcde")
    for average in ("macro", "micro", "weighted"):
        assert result[f"roc_auc_{average}"] == pytest.approx(
            roc_auc_score(labels, scores, average=average)
        )
    assert result["pr_auc_macro"] == pytest.approx(average_precision_score(labels, scores))


def test_no_tag_with_both_classes_gives_none_not_nan():
    result = metrics.evaluate(np.zeros((3, 2), int), np.full((3, 2), 0.5), ["a", "b"])
    assert result["roc_auc_macro"] is None
    assert result["pr_auc_macro"] is None


@pytest.mark.parametrize(
    ("labels", "scores"),
    [
        (np.zeros((2, 3)), np.zeros((3, 3))),
        (np.zeros((2, 4)), np.zeros((2, 4))),
        (np.zeros((2, 3)), np.full((2, 3), np.nan)),
    ],
)
def test_impossible_input_is_refused(labels, scores):
    with pytest.raises(ValueError, match=r"fit|finite"):
        metrics.evaluate(labels, scores, ["a", "b", "c"])


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({"precision_at": [-1]}, "precision at k = -1; expected 1 to 3, the number of tags"),
        ({"precision_at": [1, 0]}, "precision at k = 0; expected 1 to 3, the number of tags"),
        ({"calibration_bins": 0}, "calibration in 0 bins; expected at least 1"),
    ],
)
def test_counts_below_1_are_refused(counts, message):
    with pytest.raises(ValueError, match=message):
        metrics.evaluate(LABELS, SCORES, ["a", "b", "c"], **counts)


@pytest.mark.filterwarnings("error")
def test_roc_curves_of_one_class_are_undefined():
    curves = metrics.roc_curves(np.ones_like(LABELS), SCORES, points=5)
    assert curves[["macro", "micro"]].isna().all(axis=None)


def test_roc_curves_begin_and_end_in_the_corners():
    curves = metrics.roc_curves(LABELS, SCORES, points=5)
    assert curves["fpr"].tolist() == [0, 0.25, 0.5, 0.75, 1]
    for average in ("macro", "micro"):
        assert curves[average].iloc[0] == 0
        assert curves[average].iloc[-1] == 1
        assert (np.diff(curves[average]) >= 0).all()


def test_per_tag_leaves_undefined_areas_empty():
    table = metrics.per_tag(
        LABELS, SCORES, ["a", "b", "c"], threshold=0.5, tag_thresholds=np.array([0.3, 0.5, 0.5])
    ).set_index("tag")
    assert table.loc["a", "roc_auc"] == pytest.approx(3.5 / 4)
    assert table.loc["c", ["roc_auc", "pr_auc"]].isna().all()
    assert table["positives"].tolist() == [2, 2, 0]
    # Above 0.3, a is given to clips 1, 2 and 3, and is right for 1 and 3; above 0.5 only to 1.
    assert table.loc["a", ["precision", "recall", "f1"]].tolist() == [2 / 3, 1, 0.8]
    assert table.loc["a", "f1_at_0.5"] == pytest.approx(2 / 3)


def test_figure_6_of_the_paper():
    """TP 1, FP 1, FN 5, TN 43: accuracy (1 + 43) / 50 = 0.88, and what the paper does not say."""
    labels, scores = np.zeros((1, 50), int), np.zeros((1, 50))
    labels[0, :6], scores[0, [0, 6]] = 1, 0.8
    result = metrics.evaluate(labels, scores, [f"tag {i}" for i in range(50)])
    assert result["accuracy"] == pytest.approx(0.88)
    assert result["precision_micro"] == pytest.approx(1 / 2)
    assert result["recall_micro"] == pytest.approx(1 / 6)
    assert result["f1_micro"] == pytest.approx(2 / 8)


def test_calibration_by_hand():
    # Scores up to 0.5: 0.1, 0.2, 0.3, 0.4 with one tag: mean 0.25, share 0.25. From 0.5: 0.5 and
    # 0.9 with one tag: mean 0.7, share 0.5. The error is (4 * 0 + 2 * 0.2) / 6.
    labels = np.array([[0, 0, 0], [1, 0, 1]])
    scores = np.array([[0.1, 0.2, 0.3], [0.4, 0.5, 0.9]])
    bins = metrics.calibration(labels, scores, bins=2)
    assert bins["decisions"].tolist() == [4, 2]
    assert bins["mean_score"].tolist() == pytest.approx([0.25, 0.7])
    assert bins["share"].tolist() == pytest.approx([0.25, 0.5])
    assert metrics.calibration_error(bins) == pytest.approx(0.4 / 6)
    result = metrics.evaluate(labels, scores, "abc", calibration_bins=2)
    assert result["calibration_error"] == pytest.approx(0.4 / 6)


def test_empty_bins_count_for_nothing():
    bins = metrics.calibration(np.array([[1], [1]]), np.array([[1.0], [1.0]]), bins=4)
    assert bins["decisions"].tolist() == [0, 0, 0, 2]
    assert bins["share"].isna().tolist() == [True, True, True, False]
    assert metrics.calibration_error(bins) == 0


def test_the_loss_of_clips_averages_to_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    labels = (rng.random((40, 5)) < 0.3).astype(int)
    scores = rng.random((40, 5))
    scores[0], scores[1] = 0, 1
    by_clip = metrics.measure_clips(labels, scores, precision_at=[])
    assert by_clip["loss"].mean() == pytest.approx(metrics.cross_entropy(labels, scores))
