from functools import partial

import numpy as np
import pytest

from autotagging import models
from autotagging.training.epoch_metrics import mean_roc_auc
from autotagging.training.feature_file import transformed
from autotagging.training.features import keep
from networks import checkpoints_in
from training_clips import Clips, fit_in_memory

MODEL = models.feature_model("statistics", strength=0.01)


def fitted(mel):
    return fit_in_memory(MODEL, Clips(mel))


@pytest.fixture(scope="module")
def mel():
    """Sixteen clips, each with its own spectrum."""
    rng = np.random.default_rng(0)
    return (rng.normal(-30, 15, (16, 12, 1)) + rng.normal(0, 8, (16, 12, 90))).astype(np.float16)


def test_the_features_of_two_clips_of_one_mel_bin():
    # Means 2 and 6, of mean 4 and deviation 2; deviations 1 and 3, of mean 2 and deviation 1.
    clips = np.array([[[1, 3]], [[3, 9]]], np.float32)
    arrays = fitted(clips)
    assert arrays["mean"].tolist() == [4, 2]
    assert arrays["deviation"].tolist() == [2, 1]
    assert MODEL.transform(clips[0], arrays).tolist() == [[-1, -1]]
    assert MODEL.transform(np.array([[8, 8]], np.float32), arrays).tolist() == [[2, -2]]


def test_features_of_the_training_clips_are_standardized(mel):
    arrays = fitted(mel)
    found = np.concatenate([MODEL.transform(clip, arrays) for clip in mel.astype(np.float32)])
    assert found.shape == (16, 24)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(found.std(axis=0), 1, atol=1e-5)


@pytest.mark.parametrize("silent", [1.0, 1.0 - 1e-4])
def test_sound_in_a_mel_bin_that_is_silent_in_training_counts_little(mel, silent):
    """Not at all if nothing varies; and 5, not millions, if one frame is higher by 0.01 dB."""
    quiet = mel.astype(np.float32)
    quiet[:, -1] = -100
    quiet[0, -1, 0] *= silent
    arrays = fitted(quiet)
    (heard,) = MODEL.transform(mel[3].astype(np.float32), arrays)
    (not_heard,) = MODEL.transform(quiet[3], arrays)
    np.testing.assert_array_equal(np.delete(heard, [11, 23]), np.delete(not_heard, [11, 23]))
    assert np.abs(heard[[11, 23]]).max() <= (0 if silent == 1 else 5)


def test_silence_and_a_short_clip_have_finite_features(mel):
    arrays = fitted(mel)
    for clip in (np.full((12, 90), -100), mel[0][:, :9], mel[0][:, :1]):
        found = MODEL.transform(clip.astype(np.float32), arrays)
        assert found.shape == (1, 24)
        assert np.isfinite(found).all()


def test_a_scale_that_was_kept_reads_no_features_again(mel, tmp_path):
    kept = partial(keep, checkpoints_in(tmp_path))
    arrays = fit_in_memory(MODEL, Clips(mel), keep=kept)
    again = MODEL.fit_encoded(None, None, {}, seed=0, keep=kept)
    for name in arrays:
        np.testing.assert_array_equal(arrays[name], again[name])


def test_the_network_gives_the_scores_of_the_regressions(mel):
    arrays = fitted(mel)
    gather = transformed(lambda ids: mel[ids], lambda clip: MODEL.transform(clip, arrays))
    features = gather(np.arange(16)).astype(np.float32)
    labels = np.random.default_rng(1).permuted(np.eye(16, 5, dtype=np.float32), axis=0)
    kernel, bias = MODEL.solve(features, labels, features, labels)
    network = models.build("statistics", input_shape=(24,), n_tags=5, strength=0.01)
    assert network.count_params() == 24 * 5 + 5
    network.set_weights([kernel, bias])
    scores = network(features[:, 0]).numpy()
    expected = 1 / (1 + np.exp(-(features[:, 0] @ kernel + bias)))
    np.testing.assert_allclose(scores, expected, atol=1e-6)
    assert mean_roc_auc(labels, scores) > 0.99
