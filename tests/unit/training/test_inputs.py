"""Every model on features: what it is fitted to, on how many threads, and what is stored of it."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest
import yaml

from autotagging import models
from autotagging.common.params import options_of
from autotagging.mel.spectrogram import describe_front_end
from autotagging.models.stored import build_network, load_model, of_features, save_model
from autotagging.training.feature_file import transformed
from conftest import ROOT
from networks import checkpoints_in, model_description, training_settings

keras = pytest.importorskip("keras")

pytestmark = pytest.mark.training

SMALL = {
    "bof_rbm": {"n_patches": 300, "n_hidden": 8, "units": 8, "rbm_epochs": 1, "pretrain_epochs": 2},
    "multiscale": {"n_levels": 2, "n_means": 8, "sample_frames": 500, "hidden": 8},
    "pooled": {"components": 8, "hidden": 8, "short_hidden": 4},
    "statistics": {},
    "transfer": {"n_levels": 2, "n_means": 8, "sample_frames": 500, "hidden": 8},
}
"""Options that differ from those of params.yaml."""
FRONT_END = {"sample_rate": 12_000, "n_fft": 512, "hop_length": 256, "n_mels": 32, "seconds": 6.4}
TRAIN, VALIDATION, TEST = range(20), range(20, 28), range(28, 32)


class Store:
    """Spectrograms in memory, read as from a `MelStore`."""

    clip_shape = (32, 300)

    def __init__(self, *, other: bool):
        """Noise of three loudnesses; with `other`, validation and test clips differ."""
        self.mel = np.random.default_rng(0).normal(-40, 8, (32, *self.clip_shape))
        self.mel += 10 * (np.arange(32) % 3)[:, None, None]
        if other:
            self.mel[VALIDATION.start :] = self.mel[VALIDATION.start :, ::-1] + 7
        self.mel = self.mel.astype(np.float16)
        self.reads = Counter()

    def gather(self, clip_ids):
        self.reads.update(map(int, clip_ids))
        return self.mel[np.asarray(clip_ids)]


def fitted(model, folder, *, threads=2, store=None):
    from autotagging.training.devices import ONE_DEVICE
    from autotagging.training.fitted import fit_network
    from autotagging.training.inputs import fitted_features

    keras.utils.set_random_seed(0)
    labels = pd.DataFrame(np.arange(32)[:, None] % [2, 3] == 0, columns=["a", "b"])
    settings = training_settings(batch_size=8, epochs=2, keep_epochs="last")
    training = {
        "seed": 0,
        "threads": threads,
        "devices": ONE_DEVICE,
        "checkpoints": checkpoints_in(folder),
    }
    options = small_options(model)
    inputs = fitted_features(
        store or Store(other=False),
        {"train": labels.loc[TRAIN], "validation": labels.loc[VALIDATION]},
        models.feature_model(model, **options),
        other_labels=np.float32(np.arange(20)[:, None] % [3, 4] == 0),
        front_end={},
        audio_sha256="",
        settings=settings,
        **training,
    )
    return fit_network(model, options, inputs, settings, **training)


def small_options(model):
    section = yaml.safe_load((ROOT / "params.yaml").read_text())["train"][model]
    return options_of(section | SMALL[model])


@pytest.fixture(scope="module", params=SMALL)
def trained(request, tmp_path_factory):
    store = Store(other=False)
    fit = fitted(request.param, tmp_path_factory.mktemp("trained"), store=store)
    return request.param, fit, store.reads


def test_a_fit_depends_on_training_clips_only_and_not_on_threads(trained, tmp_path):
    """All validation and test clips have other audio, and there is one thread instead of two."""
    model, expected, _ = trained
    found = fitted(model, tmp_path, threads=1, store=Store(other=True))
    fits = [name for name in expected.arrays if name.startswith("features/")]
    assert fits
    for name in fits:
        assert expected.arrays[name].tobytes() == found.arrays[name].tobytes(), name


def test_spectrograms_are_read_once_for_a_sample_and_once_for_the_features(trained):
    """The first clip is read once more, for the size of the features."""
    model, _, reads = trained
    for_sample = 0 if model == "statistics" else 1
    expected = dict.fromkeys(TRAIN, for_sample + 1) | dict.fromkeys(VALIDATION, 1)
    assert dict(reads) == expected | {0: for_sample + 2}


def test_the_same_weights_on_one_thread(trained, tmp_path):
    model, expected, _ = trained
    found = fitted(model, tmp_path, threads=1)
    for name, array in expected.arrays.items():
        assert found.arrays[name].tobytes() == array.tobytes(), name


def test_a_stored_model_scores_as_the_fitted_one(trained, tmp_path):
    model, trained, _ = trained
    described = model_description(model, small_options(model), ["a", "b"]) | trained.description
    described["front_end"] = describe_front_end(**FRONT_END, log_scale="power_db")
    save_model(tmp_path / "model.json", tmp_path / "weights.npz", described, trained.arrays)
    stored = load_model(tmp_path / "model.json")
    scores = [scored(stored.arrays, stored), scored(trained.arrays, stored)]
    assert scores[0].shape == (4, 2)
    assert np.isfinite(scores[0]).all()
    assert scores[0].tobytes() == scores[1].tobytes()


def scored(arrays, stored):
    from autotagging.training.step import make_scorer

    model = models.feature_model(stored.description["model"], **stored.description["options"])
    features = of_features(arrays)
    gather = transformed(Store(other=False).gather, lambda mel: model.transform(mel, features))
    score = make_scorer(build_network(stored))
    return score(np.array(TEST), gather, batch_size=4)
