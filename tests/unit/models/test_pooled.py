import tracemalloc
from functools import partial

import numpy as np
import pytest

from autotagging import models
from autotagging.common.errors import UserError
from autotagging.common.params import read_params
from autotagging.features.cepstrum import mfcc
from autotagging.models.pooled.features import multiply_adds_pooled
from autotagging.training.feature_file import FeatureFile, transformed
from autotagging.training.features import keep
from conftest import ROOT
from networks import checkpoints_in, training_settings
from training_clips import Clips, fit_in_memory, not_kept

PARAMS = read_params(ROOT / "params.yaml")["train"]["pooled"] | {"structure": "pfc"}
SIX = ["mean", "variance", "maximum", "minimum", "third moment", "fourth moment"]


def options(**changes):
    """Options of the model: those of params.yaml, with fewer units, and some changed."""
    small = {"components": 10, "hidden": 32, "short_hidden": 16}
    return {k: v for k, v in {**PARAMS, **small, **changes}.items() if k != "training"}


def fitted(mel, **changes):
    model = models.feature_model("pooled", **options(**changes))
    return model, fit_in_memory(model, Clips(mel))


@pytest.fixture(scope="module")
def mel():
    """Sixteen clips of 9.4 s; the sound of each has its own spectrum and its own changes."""
    rng = np.random.default_rng(0)
    spectra = rng.normal(-30, 15, (16, 24, 1)) + rng.normal(0, 8, (16, 24, 440))
    return (spectra + rng.normal(0, 6, (16, 1, 440))).clip(-100).astype(np.float16)


@pytest.mark.parametrize(
    ("shape", "structure", "parameters"),
    [
        ((540,), "pfc", 1_182_050),
        ((720,), "pfc", 1_542_050),
        # 541 x 500 of the short windows, then 1501 x 2000 and 2001 x 50.
        ((26, 540), "mtsl", 270_500 + 3_002_000 + 100_050),
    ],
)
def test_the_parameters_of_the_source(shape, structure, parameters):
    full = {"hidden": 2000, "short_hidden": 500, "structure": structure}
    network = models.build("pooled", input_shape=shape, n_tags=50, **options(**full))
    assert network.count_params() == parameters
    assert network.output_shape == (None, 50)


@pytest.mark.parametrize(
    ("changes", "shape"),
    [
        ({}, (12, 540)),
        ({"structure": "mtsl"}, (6, 26, 540)),
        ({"structure": "mtsl", "long_frames": None}, (1, 169, 540)),
        ({"features": "mel"}, (12, 576)),
        ({"features": "mfcc"}, (12, 120)),
    ],
)
def test_the_windows_of_a_whole_clip(changes, shape):
    clip = np.random.default_rng(0).normal(-30, 10, (1, 96, 1366))
    model, arrays = fitted(clip, components=90, **changes)
    assert model.transform(clip[0].astype(np.float32), arrays).shape == shape
    expected = 1366 * 96 * 90 if changes.get("features", "pmsc") == "pmsc" else 0
    assert multiply_adds_pooled(arrays, mel_bins=96, frames=1366) == expected


def test_components_have_unit_variance_and_are_not_correlated(mel):
    _, arrays = fitted(mel, features="pmsc", components=24)
    spectra = np.log1p(1e4 * 10 ** (mel.astype(np.float64) / 10)).transpose(0, 2, 1).reshape(-1, 24)
    components = (spectra - arrays["mean"]) @ arrays["matrix"]
    np.testing.assert_allclose(np.cov(components.T), np.eye(24), atol=1e-3)


@pytest.mark.parametrize("structure", ["pfc", "mtsl"])
def test_features_of_the_training_clips_are_standardized(mel, structure):
    model, arrays = fitted(mel, structure=structure)
    found = np.stack([model.transform(clip, arrays) for clip in mel.astype(np.float32)])
    rows = found.reshape(-1, 60)
    assert np.abs(rows).max() <= 5
    inside = rows[:, (np.abs(rows) < 5).all(axis=0)]
    assert inside.shape[1] > 20
    np.testing.assert_allclose(inside.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(inside.std(axis=0), 1, atol=1e-4)


def test_the_six_functions_of_mfccs_in_their_order(mel):
    model, arrays = fitted(mel, features="mfcc", pool_frames=220)
    found = model.transform(mel[0].astype(np.float32), arrays)
    frames = mfcc(mel[0].astype(np.float32))[220:].astype(np.float64)
    centred = frames - frames.mean(axis=0)
    powers = {name: (centred**p).mean(axis=0) for p, name in ((3, SIX[4]), (4, SIX[5]))}
    expected = {
        "mean": frames.mean(axis=0),
        "variance": frames.var(axis=0),
        "maximum": frames.max(axis=0),
        "minimum": frames.min(axis=0),
        **powers,
    }
    raw = (found[1] * arrays["pooled_deviation"] + arrays["pooled_mean"]).reshape(6, 20)
    inside = np.abs(found[1].reshape(6, 20)) < 5
    for name, got, ok in zip(SIX, raw, inside, strict=True):
        assert ok.any()
        np.testing.assert_allclose(got[ok], expected[name][ok], rtol=1e-4, atol=1e-3, err_msg=name)


def test_two_time_scales_have_the_short_windows_of_each_long_one(mel):
    """A change of one frame is in the short windows that contain it, and in no other."""
    model, arrays = fitted(mel, structure="mtsl", features="mel")
    clip = mel[0].astype(np.float32)
    changed = clip.copy()
    changed[:, 220 + 20] += 3  # frame 20 of the second window: in the short windows at 8 and 16
    one, other = (model.transform(each, arrays) for each in (clip, changed))
    assert one.shape == (2, 26, 144)
    differs = (one != other).any(axis=2)
    assert np.argwhere(differs).tolist() == [[1, 1], [1, 2]]


def test_without_the_logarithm_mel_spectra_are_amplitudes(mel):
    _, arrays = fitted(mel, features="mel", log=False)
    means = (10 ** (mel.astype(np.float64) / 20))[:, :, :432].mean(axis=(0, 2))
    np.testing.assert_allclose(arrays["pooled_mean"][:24], means, rtol=1e-5)


@pytest.mark.parametrize("structure", ["pfc", "mtsl"])
@pytest.mark.parametrize("features", ["pmsc", "mel", "mfcc"])
def test_silence_and_a_clip_shorter_than_a_window_have_finite_features(mel, features, structure):
    model, arrays = fitted(mel, features=features, structure=structure)
    for clip in (np.full((24, 440), -100), mel[0][:, :50], np.full((24, 7), -100)):
        found = model.transform(clip.astype(np.float32), arrays)
        assert np.isfinite(found).all()
        assert np.abs(found).max() <= 5
    assert len(model.transform(mel[0][:, :50].astype(np.float32), arrays)) == 1


def test_a_mel_bin_that_is_silent_in_training_counts_for_nothing(mel):
    silent = mel.copy()
    silent[:, 20:] = -100
    for features in ("pmsc", "mel"):
        model, arrays = fitted(silent, features=features, components=24)
        heard, not_heard = mel[0].astype(np.float32), silent[0].astype(np.float32)
        found = [model.transform(clip, arrays) for clip in (heard, not_heard)]
        np.testing.assert_allclose(*found, atol=1e-4)


def test_more_components_than_mel_bins_are_an_error(mel):
    with pytest.raises(UserError, match="25 components"):
        fitted(mel, components=25)


def test_the_input_must_suit_the_structure():
    with pytest.raises(UserError, match=r"\(26, 540\) are not those of pfc"):
        models.build("pooled", input_shape=(26, 540), n_tags=2, **options())


def test_the_fit_has_the_same_bytes_whatever_the_blocks(mel):
    model = models.feature_model("pooled", **options())
    one, other = (fit_in_memory(model, Clips(mel, block=block), seed=block) for block in (4, 3))
    assert [*one] == [*other] == ["mean", "matrix", "pooled_mean", "pooled_deviation"]
    for name in one:
        assert one[name].dtype == np.float32
        assert one[name].tobytes() == other[name].tobytes()


def test_a_killed_fit_goes_on_with_the_same_arrays(mel, tmp_path):
    checkpoints = checkpoints_in(tmp_path)
    model = models.feature_model("pooled", **options())

    class Killed(Clips):
        def blocks(self):
            for number, block in enumerate(super().blocks()):
                if self.passes == 2 and number == 1:
                    raise KeyboardInterrupt
                yield block

    with pytest.raises(KeyboardInterrupt):
        fit_in_memory(model, Killed(mel), keep=partial(keep, checkpoints))
    resumed = Clips(mel)
    arrays = fit_in_memory(model, resumed, keep=partial(keep, checkpoints))
    assert resumed.passes == 1  # PCA was kept
    _, expected = fitted(mel)
    for name in expected:
        np.testing.assert_array_equal(arrays[name], expected[name])


def test_a_fit_holds_one_block_of_spectrograms():
    class Generated:
        def blocks(self):
            rng = np.random.default_rng(0)
            for _ in range(40):
                yield rng.normal(-30, 10, (4, 24, 440)).astype(np.float32)

    block = 4 * 24 * 440 * 4
    model = models.feature_model("pooled", **options())
    model.fit(Clips(next(Generated().blocks())), seed=0, keep=not_kept)  # imports and the like
    tracemalloc.start()
    try:
        model.fit(Generated(), seed=0, keep=not_kept)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 15 * block  # all spectrograms are 40 blocks


@pytest.mark.training
@pytest.mark.parametrize("structure", ["pfc", "mtsl"])
def test_a_network_learns_sixteen_clips_by_heart(mel, structure, tmp_path):
    """From the fit to the scores, through a file of features with two axes or three."""
    from autotagging.training.devices import ONE_DEVICE
    from autotagging.training.epoch_metrics import mean_roc_auc
    from autotagging.training.loop import Examples, fit
    from autotagging.training.step import make_scorer

    own = options(structure=structure, long_frames=110)
    model, arrays = fitted(mel, structure=structure, long_frames=110)
    labels = np.random.default_rng(1).permuted(np.eye(16, 8, dtype=np.float32), axis=0)
    labels = np.maximum(labels, labels[::-1])
    encode = transformed(
        lambda ids: mel[ids],
        lambda clip: model.encode(clip, arrays),
        threads=2,
        dtype=np.float32,
    )
    file = FeatureFile(tmp_path / "features.bin", np.arange(16), encode)
    gather = file.finished(lambda each: model.finish(each, arrays))
    whole = transformed(lambda ids: mel[ids], lambda clip: model.transform(clip, arrays))
    np.testing.assert_array_equal(gather([3, 1]), whole([3, 1]))
    import keras

    keras.utils.set_random_seed(0)
    network = models.build("pooled", input_shape=file.shape[1:], n_tags=8, **own)
    clips = Examples(np.arange(16), labels, gather)
    settings = training_settings(epochs=40, learning_rate=0.01, batch_size=4)
    checkpoints = checkpoints_in(tmp_path)
    how = {"name": "pooled", "seed": 0, "devices": ONE_DEVICE, "checkpoints": checkpoints}
    fit(network, clips, clips, settings, **how)
    scores = make_scorer(network)(clips.clip_ids, clips.gather, batch_size=5)
    assert mean_roc_auc(labels, scores) > 0.99
