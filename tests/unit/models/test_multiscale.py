from functools import partial

import numpy as np
import pytest

from autotagging import models
from autotagging.training.features import fit_features, keep
from training_clips import audible_clips, fit_in_memory, training_clips

OPTIONS = {
    "representation": "laplacian",
    "n_levels": 3,
    "n_means": 12,
    "sample_frames": 1000,
    "retain": 0.99,
    "epsilon": 1e-4,
    "iterations": 5,
    "pool_frames": 40,
    "hidden": 30,
    "dropout": 0.2,
}


@pytest.mark.parametrize(("levels", "parameters"), [(6, 3_051_050), (4, 2_051_050)])
def test_the_network_has_the_sources_size(levels, parameters):
    options = OPTIONS | {"hidden": 1000, "dropout": 0.5}
    network = models.build("multiscale", input_shape=(500 * levels,), n_tags=50, **options)
    assert network.count_params() == parameters


def test_it_overfits_a_few_clips(tmp_path):
    from autotagging.training.loop import Examples, fit

    mel, labels = audible_clips()
    clips = training_clips(tmp_path, mel, labels, epochs=25, learning_rate=0.01)
    model = models.feature_model("multiscale", **OPTIONS)
    gather = fit_features(model, clips).gather
    windows = gather(clips.clip_ids)
    assert windows.shape == (16, 4, 36)
    assert np.abs(windows.mean(axis=(0, 1))).max() < 0.1
    assert np.abs(windows.std(axis=(0, 1)) - 1).max() < 0.1
    assert np.abs(windows).max() <= 5
    network = models.build("multiscale", input_shape=(36,), n_tags=3, **OPTIONS)
    examples = Examples(clips.clip_ids, labels, gather)
    result = fit(
        network,
        examples,
        examples,
        clips.settings,
        name="multiscale",
        seed=0,
        devices=clips.devices,
        checkpoints=clips.checkpoints,
    )
    assert result.history["val_auc"].max() > 0.99


def test_the_features_depend_on_the_audio_alone(tmp_path):
    mel, labels = audible_clips()
    model = models.feature_model("multiscale", **OPTIONS)
    arrays, others = (
        fit_in_memory(model, training_clips(tmp_path, mel, each))
        for each in (labels, 1 - labels[::-1])
    )
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, others[name])


def test_a_stopped_fit_goes_on_where_it_was(tmp_path):
    mel, labels = audible_clips()
    clips = training_clips(tmp_path, mel, labels)
    model = models.feature_model("multiscale", **OPTIONS)
    expected = fit_in_memory(model, clips)

    def stopped(name, compute):
        if name == "scale":
            raise KeyboardInterrupt
        return keep(clips.checkpoints, name, compute)

    with pytest.raises(KeyboardInterrupt):
        fit_in_memory(model, clips, keep=stopped)
    stages = []

    def counted(compute, name):
        stages.append(name)
        return compute()

    def resumed(name, compute):
        return keep(clips.checkpoints, name, partial(counted, compute, name))

    arrays = fit_in_memory(model, clips, keep=resumed)
    assert stages == ["scale"]
    for name, array in expected.items():
        np.testing.assert_array_equal(array, arrays[name])


def test_multiply_adds():
    from autotagging.models.multiscale.features import multiply_adds_multiscale

    arrays = {"codebook": np.empty((6, 96, 500))}
    size = {"mel_bins": 96, "frames": 1366}
    cut = {"representation": "laplacian", "pool_frames": 141}
    assert multiply_adds_multiscale(arrays, **size, **cut) == 129_168_000
