"""Deep bag of features: patches, the RBM of patches, pooling, and pre-training."""

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from autotagging import models
from autotagging.common.errors import UserError
from autotagging.features.rbm import hidden
from autotagging.models.bof_rbm.features import (
    encode_bof_rbm,
    fit_bof_rbm,
    multiply_adds_bof_rbm,
    start_bof_rbm,
)
from networks import checkpoints_in, training_settings
from training_clips import Clips

N_CLIPS, N_TAGS, BINS, FRAMES = 16, 3, 32, 282  # 6 s
FIT = {
    "agc": True,
    "sampling": "onset",
    "n_patches": 400,
    "retain": 0.9,
    "epsilon": 0.01,
    "n_hidden": 48,
    "rbm_epochs": 300,
    "sparsity_target": 0.05,
}


class Stages(dict):
    """Stages of a fit that are kept: arrays by name of the stage."""

    def keep(self, name, compute):
        if name not in self:
            self[name] = compute()
        return self[name]


class Killed(Exception):
    pass


def fit(clips, *, stages=None, seed=0, **changes):
    stages = Stages() if stages is None else stages
    return fit_bof_rbm(clips, seed=seed, keep=stages.keep, **FIT | changes)


def played(labels, seed=0):
    """Clips in dB, (clips, 32, frames): each tag is an instrument with three notes."""
    rng = np.random.default_rng(seed)
    notes = 10 ** rng.uniform(-3, 0, (labels.shape[1], 3, BINS))
    decay = np.exp(-np.arange(23) / 8)
    power = 1e-5 * rng.uniform(0.5, 1.5, (len(labels), BINS, FRAMES))
    for clip, tags in enumerate(labels):
        for start in range(5, FRAMES - 23, 23):
            for tag in np.flatnonzero(tags):
                note = notes[tag, rng.integers(3)] * rng.uniform(0.3, 1)
                power[clip, :, start : start + 23] += note[:, None] * decay
    return (10 * np.log10(power)).astype(np.float32)


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Linear algebra on one thread, as in a training."""
    with threadpool_limits(1, user_api="blas"):
        yield


@pytest.fixture(scope="module")
def labels():
    labels = np.random.default_rng(3).random((N_CLIPS, N_TAGS)) < 0.5
    return labels.astype(np.float32)


@pytest.fixture(scope="module")
def mel(labels):
    return played(labels)


@pytest.fixture(scope="module")
def fitted(mel):
    """Arrays of a fit, and its stages."""
    stages = Stages()
    return fit(Clips(mel), stages=stages), stages


def features_of(mel, arrays, **changes):
    options = {"agc": True, "segment_frames": 47, **changes}
    return np.stack([encode_bof_rbm(clip, arrays, **options) for clip in mel])


def same(one, other):
    return one.keys() == other.keys() and all(np.array_equal(one[k], other[k]) for k in one)


def test_the_rbm_is_sparse_and_reconstructs_the_patches(fitted):
    """A dead RBM has an activation of 0, or an error that stays at the total variance."""
    _, stages = fitted
    rbm = stages["rbm-patches"]
    variance = (stages["sample"]["whitened"].astype(np.float32) ** 2).sum(axis=1).mean()
    assert rbm["activations"][0] > 0.1  # units start at 0.5
    assert 0.025 < rbm["activations"][-1] < 0.1
    assert rbm["errors"][-1] < 0.8 * variance


def test_the_rbm_has_at_least_3000_updates(mel):
    """100 patches are one batch."""
    stages = Stages()
    fit(Clips(mel), stages=stages, n_patches=100, n_hidden=4, rbm_epochs=1)
    assert len(stages["rbm-patches"]["errors"]) == 3000


@pytest.mark.parametrize(
    ("sampling", "asked", "drawn"),
    [
        ("onset", 10, 10),  # fewer than clips
        ("onset", 400, 400),  # 25 of a clip that has 6 segments
        ("random", 400, 400),
        ("random", 10_000, 16 * 275),  # all there are
    ],
)
def test_clips_give_the_sample_evenly(mel, sampling, asked, drawn):
    stages = Stages({"rbm-patches": {"weights": None, "hidden_bias": None}})
    fit(Clips(mel), stages=stages, sampling=sampling, n_patches=asked)
    assert len(stages["sample"]["whitened"]) == drawn


def test_patches_of_the_sample_start_at_onsets(mel):
    """The largest rise of each patch is in its first two frames: notes are 23 frames apart."""
    stages = Stages({"rbm-patches": {"weights": None, "hidden_bias": None}})
    fit(Clips(mel), stages=stages, n_patches=16 * 6, retain=1.0, epsilon=0.0)
    sample = stages["sample"]
    matrix = sample["matrix"].astype(np.float64)
    patches = sample["whitened"] @ np.linalg.pinv(matrix) + sample["mean"]
    loudness = patches.reshape(-1, 8, BINS).mean(axis=2)
    loudest = loudness.argmax(axis=1)
    assert (loudest <= 1).mean() > 0.95


def test_whitened_patches_have_unit_variance_but_for_epsilon(fitted):
    _, stages = fitted
    whitened = stages["sample"]["whitened"].astype(np.float64)
    covariance = whitened.T @ whitened / len(whitened)
    assert covariance == pytest.approx(np.diag(np.diag(covariance)), abs=1e-2)
    assert 0.5 < np.diag(covariance).min() < np.diag(covariance).max() < 1.001


def test_the_fit_is_one_pass_and_the_same_bytes(mel):
    few = {"n_patches": 100, "n_hidden": 16}
    clips = Clips(mel)
    first, again = fit(clips, **few), fit(Clips(mel, block=5), **few)
    assert clips.passes == 1
    assert same(first, again)
    assert {array.dtype for array in first.values()} == {np.dtype(np.float32)}
    assert not same(first, fit(Clips(mel), seed=1, **few))


def test_a_killed_fit_goes_on(mel, monkeypatch):
    """Killed in the training of the RBM: the clips are not read again."""
    few = {"n_patches": 100, "n_hidden": 16}
    stages, clips = Stages(), Clips(mel)
    with monkeypatch.context() as patch:
        patch.setattr("autotagging.models.bof_rbm.features.train_rbm", _kill)
        with pytest.raises(Killed):
            fit(clips, stages=stages, **few)
    resumed = fit(clips, stages=stages, **few)
    assert clips.passes == 1
    assert same(resumed, fit(Clips(mel), **few))


def _kill(*args):
    raise Killed


def test_features_are_the_mean_over_segments_of_the_greatest_probabilities(fitted, mel):
    """By the definition, with the gain control and the compression of the sample."""
    from autotagging.features.compression import amplitude, log_amplitude
    from autotagging.features.gain_control import gain_controlled

    arrays, _ = fitted
    spectrum = log_amplitude(gain_controlled(amplitude(mel[0])))
    patches = np.stack([spectrum[start : start + 8].ravel() for start in range(FRAMES - 7)])
    whitened = (patches - arrays["mean"]) @ arrays["matrix"]
    units = hidden(whitened, arrays["weights"], arrays["bias"], "gaussian_binary")
    expected = np.mean([units[s : s + 47].max(axis=0) for s in range(0, len(units), 47)], axis=0)
    found = encode_bof_rbm(mel[0], arrays, agc=True, segment_frames=47)
    assert found.shape == (1, 48)
    assert found.dtype == np.float32
    assert found[0] == pytest.approx(expected, abs=1e-5)


def test_a_louder_clip_has_about_the_same_features_with_gain_control(fitted, mel):
    arrays, _ = fitted
    with_control, without = (
        np.abs(features_of(mel + 20, arrays, agc=agc) - features_of(mel, arrays, agc=agc)).mean()
        for agc in (True, False)
    )
    assert with_control < 0.05
    assert without > 2 * with_control


@pytest.mark.parametrize("frames", [1, 7, 8, 141])
@pytest.mark.parametrize("agc", [True, False])
def test_silence_and_short_clips_have_features(fitted, frames, agc):
    for level in (-100, -10_000):
        clip = np.full((BINS, frames), level, np.float32)
        features = encode_bof_rbm(clip, fitted[0], agc=agc, segment_frames=47)
        assert features.shape == (1, 48)
        assert np.isfinite(features).all()
        assert features.min() >= 0
        assert features.max() <= 1


def test_clips_that_do_not_vary_are_an_error(mel):
    with pytest.raises(UserError, match="do not vary"):
        fit(Clips(np.full_like(mel, -100)))


def test_multiply_adds_of_the_source():
    """172 components, 1024 units: 1359 patches of 768 values."""
    arrays = {"weights": np.empty((172, 1024))}
    assert multiply_adds_bof_rbm(arrays, mel_bins=96, frames=1366) == 1359 * 172 * (768 + 1024)
    assert multiply_adds_bof_rbm(arrays, mel_bins=96, frames=3) == 172 * (768 + 1024)


# The network.

keras = pytest.importorskip("keras")


def build(n_features=48, n_tags=N_TAGS, units=24, dropout=0.5):
    keras.utils.set_random_seed(0)
    options = {"layers": 3, "units": units, "dropout": dropout}
    return models.build("bof_rbm", input_shape=(n_features,), n_tags=n_tags, **options)


def start(network, features, *, stages=None, **changes):
    stages = Stages() if stages is None else stages
    options = {"pretrain": True, "pretrain_epochs": 200, **changes}
    start_bof_rbm(network, features.astype(np.float16), seed=0, keep=stages.keep, **options)
    return stages


@pytest.fixture(scope="module")
def features(fitted, mel):
    return features_of(mel, fitted[0])


@pytest.mark.training
@pytest.mark.parametrize(("n_tags", "parameters"), [(50, 1_075_762), (160, 1_132_192)])
def test_parameters_of_the_source(n_tags, parameters):
    network = build(1024, n_tags, units=512)
    assert network.count_params() == parameters
    rates = [layer.rate for layer in network.layers if isinstance(layer, keras.layers.Dropout)]
    assert rates == [0.5] * 3


@pytest.mark.training
def test_pre_training_stacks_rbms_of_the_features(features):
    network = build()
    output = network.layers[-1].get_weights()
    stages = start(network, features)
    x = features[:, 0].astype(np.float16).astype(np.float32)
    for number, kind in enumerate(("sigmoid_relu", "relu_relu", "relu_relu"), start=1):
        rbm = stages[f"rbm-hidden_{number}"]
        assert np.any(rbm["hidden_bias"])
        assert rbm["errors"][-1] < rbm["errors"][0]
        x = hidden(x, rbm["weights"], rbm["hidden_bias"], kind)
        layer = keras.Model(network.input, network.get_layer(f"hidden_{number}").output)
        found = layer(features[:, 0].astype(np.float16).astype(np.float32)).numpy()
        assert found == pytest.approx(x, abs=1e-4)
    assert all(map(np.array_equal, network.layers[-1].get_weights(), output))


@pytest.mark.training
def test_pre_training_goes_on_from_kept_stages(features):
    network, again = build(), build()
    stages = start(network, features)
    del stages["rbm-hidden_3"]
    start(again, features, stages=stages)
    assert all(map(np.array_equal, network.get_weights(), again.get_weights()))


@pytest.mark.training
def test_without_pre_training_the_weights_stay(features):
    network = build()
    before = network.get_weights()
    assert start(network, features, pretrain=False) == {}
    assert all(map(np.array_equal, network.get_weights(), before))


@pytest.mark.training
def test_16_clips_can_be_learnt(features, labels, tmp_path):
    from autotagging.training.devices import ONE_DEVICE
    from autotagging.training.loop import Examples, fit

    network = build(units=64, dropout=0.1)
    start(network, features)
    clips = Examples(np.arange(N_CLIPS), labels, lambda ids: features[ids].astype(np.float16))
    result = fit(
        network,
        clips,
        clips,
        training_settings(batch_size=16, epochs=60, learning_rate=0.003, monitor="val_auc"),
        name="bof_rbm",
        seed=0,
        devices=ONE_DEVICE,
        checkpoints=checkpoints_in(tmp_path),
    )
    assert result.history["val_auc"].max() > 0.99
