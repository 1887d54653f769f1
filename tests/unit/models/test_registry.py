"""What the registry refuses: options and spectrograms that a model does not take."""

import pytest

from autotagging import models
from autotagging.common.errors import UserError
from autotagging.models.stored import save_model
from autotagging.tools.export import export

READING_DB = ("bof_rbm", "conv1d", "multiscale", "musicnn", "pooled", "statistics", "transfer")


@pytest.mark.parametrize("model", models.MODELS)
def test_models_that_undo_decibels_need_them(model):
    models.check_log_scale(model, "power_db")
    if model not in READING_DB:
        models.check_log_scale(model, "log1p")
        return
    with pytest.raises(UserError, match=f"model '{model}' .*log_scale is log1p; set it to"):
        models.check_log_scale(model, "log1p")


def test_an_option_that_no_function_of_a_model_on_features_has_is_named():
    assert models.feature_model("statistics", strength=0.1).solve
    with pytest.raises(UserError, match="model 'statistics' has no option 'strenght'"):
        models.feature_model("statistics", strenght=0.1)


def test_a_model_on_features_is_not_exported(tmp_path):
    described = {
        "model": "statistics",
        "seed": 0,
        "corpus": "demo",
        "split": "random 1/1/1",
        "options": {"strength": 0.1},
        "tags": ["a"],
        "trained_on": {},
        "versions": {},
        "input_shape": [192],
        "front_end": {
            "sample_rate": 12_000,
            "n_fft": 512,
            "hop_length": 256,
            "n_mels": 96,
            "frames": 10,
            "seconds": 1.0,
            "log_scale": "power_db",
        },
    }
    save_model(tmp_path / "model.json", tmp_path / "weights.npz", described, {})
    with pytest.raises(UserError, match="'statistics' reads features that NumPy computes"):
        export(model_json=tmp_path / "model.json", out=tmp_path / "exported")
    assert not (tmp_path / "exported").exists()
