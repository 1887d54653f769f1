import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import average_precision_score, roc_auc_score

from autotagging.metrics.bootstrap import (
    Sampling,
    interval,
    mean_over_tags,
    rank,
    resample_areas,
    resample_means,
    resample_micro,
    resample_sums,
    weighted_areas,
)

LABELS = np.array([[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 1]])
SCORES = np.array([[0.9, 0.5, 0.5], [0.5, 0.5, 0.1], [0.9, 0.8, 0.2], [0.3, 0.3, 0.3]])
"""Four clips, three tags, with ties."""


def random_answers(clips=60, tags=4):
    rng = np.random.default_rng(3)
    labels = (rng.random((clips, tags)) < 0.2).astype(np.uint8)
    return labels, (rng.random((clips, tags)) * 0.7 + labels * 0.3).round(1)


def each_for_itself(clips, resamples=200, seed=0):
    return Sampling(np.arange(clips), resamples, seed)


def test_weighted_areas_by_hand():
    # Clip 2 is drawn twice, clip 3 not at all.
    # a: clip 1 above clip 2, twice, and clip 4: 1; precision 1.
    # b: clip 2 ties with clip 1, beats clip 4: 1.5 of 2; at its score it is 2 of 3 drawn.
    # c: clip 4 below clip 1, above clip 2, twice: 2 of 3; at its score it is 1 of 2.
    counts = np.array([[1], [2], [0], [1]], np.int32)
    areas = [
        [float(area[0]) for area in weighted_areas(rank(*tag), counts)]
        for tag in zip(LABELS.T, SCORES.T, strict=True)
    ]
    assert areas == [[1, 1], [0.75, pytest.approx(2 / 3)], [pytest.approx(2 / 3), 0.5]]


def test_areas_agree_with_scikit_learn_on_repeated_clips():
    labels, scores = random_answers()
    sampling = each_for_itself(60, resamples=30)
    areas, micro = (
        resample_areas(labels, scores, sampling),
        resample_micro(labels, scores, sampling),
    )
    draws = np.concatenate([counts.T for counts in sampling.draws()])
    assert (draws[0] == 1).all()
    assert (draws.sum(axis=1) == 60).all()
    for row, counts in enumerate(draws):
        y, s = (np.repeat(array, counts, axis=0) for array in (labels, scores))
        assert micro[row] == pytest.approx(roc_auc_score(y.ravel(), s.ravel()))
        assert areas.positives[row].tolist() == y.sum(axis=0).tolist()
        for tag in range(4):
            assert areas.roc_auc[row, tag] == pytest.approx(roc_auc_score(y[:, tag], s[:, tag]))
            assert areas.pr_auc[row, tag] == pytest.approx(
                average_precision_score(y[:, tag], s[:, tag])
            )


def test_sums_and_means_are_those_of_repeated_clips():
    values = np.array([[1.0, np.nan], [2.0, 5.0], [4.0, 7.0]])
    sampling = each_for_itself(3, resamples=50)
    sums, means = resample_sums(values[:, :1], sampling), resample_means(values, sampling)
    for row, counts in enumerate(np.concatenate([counts.T for counts in sampling.draws()])):
        drawn = np.repeat(values, counts, axis=0)
        assert sums[row, 0] == pytest.approx(drawn[:, 0].sum())
        if counts[0] < 3:
            assert means[row].tolist() == pytest.approx(np.nanmean(drawn, axis=0).tolist())
        else:
            assert np.isnan(means[row, 1])


def test_the_clips_of_a_track_come_and_go_together():
    sampling = Sampling(np.array([7, 7, -3, 5, 5, 5]), 100, seed=0)
    draws = np.concatenate([counts.T for counts in sampling.draws()])
    assert (draws[:, 0] == draws[:, 1]).all()
    assert (draws[:, 3] == draws[:, 5]).all()
    assert (draws[:, 0] + draws[:, 2] + draws[:, 3] == 3).all()
    assert 0.8 < draws[1:].mean() < 1.2


def test_the_same_seed_draws_the_same_clips_however_many_at_a_time(monkeypatch):
    draws = [np.concatenate([c.T for c in each_for_itself(9, 70).draws()])]
    monkeypatch.setattr("autotagging.metrics.bootstrap._CHUNK", 11)
    draws.append(np.concatenate([c.T for c in each_for_itself(9, 70).draws()]))
    np.testing.assert_array_equal(*draws)
    other = np.concatenate([c.T for c in each_for_itself(9, 70, seed=1).draws()])
    assert (other != draws[0]).any()


def test_two_models_are_compared_on_the_same_clips():
    """The difference of two models that make the same mistakes varies less than either."""
    labels, scores = random_answers(clips=200)
    better = scores + 0.05 * labels
    one, other = (
        mean_over_tags(resample_areas(labels, each, each_for_itself(200)).roc_auc)
        for each in (better, scores)
    )
    low, high = interval(one - other, confidence=0.95)
    assert 0 < low < (one - other)[0] < high
    assert high - low < 0.5 * np.diff(interval(one, confidence=0.95))[0]
    same = resample_areas(labels, scores.copy(), each_for_itself(200)).roc_auc
    assert interval(mean_over_tags(same) - other, confidence=0.95).tolist() == [0, 0]


def test_a_tag_that_was_not_drawn_leaves_the_mean_of_that_resample():
    labels, scores = np.zeros((8, 2), int), np.arange(16).reshape(8, 2) / 16
    labels[[2, 5, 7], 0], labels[4, 1] = 1, 1
    areas = resample_areas(labels, scores, each_for_itself(8, resamples=2000)).roc_auc
    missing = np.isnan(areas[:, 1])
    # The one clip that has the second tag is not among eight draws: (7 / 8) ** 8.
    assert missing.mean() == pytest.approx((7 / 8) ** 8, abs=0.03)
    mean = mean_over_tags(areas)
    np.testing.assert_array_equal(mean[missing], areas[missing, 0])
    # Clips 0 to 3 are below it, so the areas of the others are about 4 of 7.
    assert areas[0, 1] == pytest.approx(4 / 7)


def test_what_is_never_defined_has_no_interval():
    areas = resample_areas(np.zeros((3, 1), int), np.zeros((3, 1)), each_for_itself(3, 10))
    assert np.isnan(interval(areas.roc_auc, confidence=0.95)).all()


def test_one_group_is_not_drawn():
    labels, scores = random_answers()
    areas = resample_areas(labels, scores, Sampling(np.full(60, 7), 10, 0))
    assert areas.roc_auc.shape == (1, 4)
    assert np.isnan(interval(areas.roc_auc, confidence=0.95)).all()
    assert np.isnan(interval(areas.pr_auc, confidence=0.95, basic=True)).all()


def test_limits_and_their_mirror_image():
    samples = np.concatenate([[60.0], np.arange(101.0)])
    assert interval(samples, confidence=0.9).tolist() == pytest.approx([5, 95])
    # 95 is 35 above the estimate, 5 is 55 below.
    basic = {"confidence": 0.9, "basic": True}
    assert interval(samples, **basic, bounds=(0, 200)).tolist() == pytest.approx([25, 115])
    assert interval(samples, **basic, bounds=(0, 100)).tolist() == pytest.approx([25, 100])


TRUE_AREA = norm.cdf(1 / np.sqrt(2))
"""Of scores N(0, 1) without the tag and N(1, 1) with it."""


def covered(labels, scores, sampling):
    """For how many tags the interval of 95 % has the true area in it."""
    areas = resample_areas(labels, scores, sampling).roc_auc
    low, high = interval(areas, confidence=0.95)
    return ((low <= TRUE_AREA) & (high >= TRUE_AREA)).mean()


def test_intervals_cover_the_true_area_as_often_as_they_say():
    rng = np.random.default_rng(0)
    shares = []
    for seed in range(80):
        labels = (rng.random((200, 20)) < 0.3).astype(np.uint8)
        scores = rng.normal(size=labels.shape) + labels
        shares.append(covered(labels, scores, each_for_itself(200, 300, seed)))
    assert 0.93 < np.mean(shares) < 0.97


def test_where_tracks_are_alike_only_drawing_tracks_covers_the_true_area():
    """Five clips a track share its tags and most of what their scores are off by."""
    rng = np.random.default_rng(0)
    track = np.repeat(np.arange(120), 5)
    shares = {"clips": [], "tracks": []}
    for seed in range(80):
        labels = (rng.random((120, 10)) < 0.3).astype(np.uint8)[track]
        shared = np.sqrt(0.8) * rng.normal(size=(120, 10))[track]
        scores = labels + shared + np.sqrt(0.2) * rng.normal(size=labels.shape)
        for unit, groups in (("clips", np.arange(600)), ("tracks", track)):
            shares[unit].append(covered(labels, scores, Sampling(groups, 300, seed)))
    assert 0.93 < np.mean(shares["tracks"]) < 0.97
    assert np.mean(shares["clips"]) < 0.8
