"""Each network learns 16 examples by heart, with all of its weights, and is stored and exported."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from autotagging import models
from autotagging.models.stored import build_network, load_model, save_model, weights_of
from autotagging.tools.export import export
from networks import model_description, network_options

keras = pytest.importorskip("keras")

pytestmark = pytest.mark.training

SMALL = {
    "conv1d": {"input_shape": (96, 60), "filters": 8},
    "fcn4": {"input_shape": (96, 1280), "width": 1 / 64, "pool_dropout": 0.0},
    "musicnn": {
        "input_shape": (32, 24),
        "width": 0.05,
        "temporal_frames": 16,
        "middle_filters": 8,
        "hidden_units": 16,
    },
    "short_chunk": {"input_shape": (32, 40), "filters": 4},
    "short_chunk without residuals": {
        "input_shape": (32, 40),
        "filters": 4,
        "residual": False,
    },
}
STEPS = {"fcn4": 15}
TAGS = ["a", "b", "c"]


@dataclass
class Trained:
    model: str
    options: dict
    network: "keras.Model"
    initial: dict[str, np.ndarray]
    mel: np.ndarray
    labels: np.ndarray


@pytest.fixture(scope="module", params=SMALL)
def trained(request):
    """Train a small network on 16 random spectrograms, all in one batch, without dropout."""
    from autotagging.training.optimizer import make_optimizer
    from autotagging.training.step import make_train_step

    keras.utils.set_random_seed(0)
    model = request.param.split()[0]
    options = network_options(model, batch_norm_momentum=0.5, **SMALL[request.param])
    options |= {"dropout_rate": 0.0} if "dropout_rate" in options else {}
    network = models.build(model, n_tags=len(TAGS), **options)
    rng = np.random.default_rng(0)
    mel = rng.normal(-30, 10, (16, *options["input_shape"])).astype(np.float32)
    labels = np.stack([np.arange(16) % divisor == 0 for divisor in (2, 3, 5)], 1).astype(np.float32)
    initial = weights_of(network)
    train_step = make_train_step(network, make_optimizer(network, 0.01))
    for _ in range(STEPS.get(model, 40)):
        train_step(mel, labels)
    return Trained(model, options, network, initial, mel, labels)


def test_sixteen_examples_are_learnt_by_heart(trained):
    from autotagging.training.epoch_metrics import mean_roc_auc

    scores = trained.network(trained.mel, training=False).numpy()
    assert mean_roc_auc(trained.labels, scores) > 0.99


def test_every_weight_learns(trained):
    """Only the biases before a normalization, which subtracts them, stay as they were."""
    unchanged = {
        name
        for name, value in weights_of(trained.network).items()
        if np.array_equal(value, trained.initial[name])
    }
    assert all(name.startswith("conv_") and name.endswith("/bias") for name in unchanged)
    normalized = trained.model in ("fcn4", "short_chunk")
    assert bool(unchanged) == normalized


def test_silence_and_a_constant_are_scored(trained):
    for level in (-100, 0, 100):
        silence = np.full_like(trained.mel[:2], level)
        assert np.isfinite(trained.network(silence, training=False)).all()


def test_a_silent_batch_does_no_harm_in_training(trained):
    silence = np.full_like(trained.mel, -100)
    copy = keras.models.clone_model(trained.network)
    copy.set_weights(trained.network.get_weights())
    assert np.isfinite(copy(silence, training=True)).all()
    assert all(np.isfinite(weight).all() for weight in copy.get_weights())


def stored(trained, folder: Path) -> Path:
    options = {name: value for name, value in trained.options.items() if name != "input_shape"}
    shape = list(trained.options["input_shape"])
    described = model_description(trained.model, options, TAGS, input_shape=shape)
    paths = folder / "model.json", folder / "weights.npz"
    save_model(*paths, described, weights_of(trained.network))
    return paths[0]


def test_a_stored_and_an_exported_network_score_as_the_trained_one(trained, tmp_path):
    """The stored one equally; the exported one has only layers of Keras."""
    path = stored(trained, tmp_path)
    expected = trained.network(trained.mel, training=False).numpy()
    found = build_network(load_model(path))(trained.mel, training=False).numpy()
    np.testing.assert_array_equal(found, expected)
    export(model_json=path, out=tmp_path / "out")
    exported = keras.saving.load_model(tmp_path / "out/model.keras", safe_mode=True)
    assert all(type(layer).__module__.startswith("keras.") for layer in exported.layers)
    found = exported(trained.mel, training=False).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-5)
