"""What the registry refuses: options and spectrograms that a model does not take."""

import subprocess
import sys

import pytest

from autotagging import models
from autotagging.common.errors import UserError
from autotagging.dataset.windows import Windows
from networks import crnn_options, network_options

ON_FEATURES = [model for model in models.MODELS if models.reads(model) == "features"]


@pytest.mark.parametrize("model", ["crnn", "fcn4", "lookup", "short_chunk"])
def test_other_models_take_any_spectrograms(model):
    models.check_log_scale(model, "power_db")
    models.check_log_scale(model, "log1p")


@pytest.mark.parametrize("model", ["conv1d", "musicnn", *ON_FEATURES])
def test_models_that_undo_decibels_need_them(model):
    models.check_log_scale(model, "power_db")
    with pytest.raises(UserError, match=f"model '{model}' .*log_scale is log1p; set it to"):
        models.check_log_scale(model, "log1p")


@pytest.mark.parametrize(
    ("model", "options", "size", "expected"),
    [
        ("crnn", {"padded_frames": 1440}, (96, 1440), None),
        ("crnn", {"padded_frames": 1440}, (96, 1441), "up to padded_frames = 1440 .* 96 x 1441"),
        ("crnn", {"padded_frames": 1440}, (95, 1366), "96 to 191 mel bins .* not 95 x 1366"),
        ("fcn4", {"width": 0.5}, (96, 1280), None),
        ("fcn4", {"width": 0.5}, (96, 1279), "1280 to 2559 frames, not 96 x 1279"),
        ("conv1d", {"window_frames": 51}, (96, 20), None),
        ("conv1d", {"window_frames": 50}, (96, 1366), "51 frames or more, not 50"),
        (
            "musicnn",
            {"temporal_frames": 3},
            (96, 1366),
            "= 4 or more, not 96 and 3",
        ),
        ("pooled", {"features": "pmsc", "components": 64}, (64, 1366), None),
        ("pooled", {"features": "pmsc", "components": 65}, (64, 1366), "65, and there are 64 mel"),
        ("pooled", {"features": "mel", "components": 65}, (64, 1366), None),
        ("bof_rbm", {"agc": True}, (3, 1366), None),
        ("bof_rbm", {"agc": True}, (2, 1366), "needs 3 mel bins; there are 2"),
        ("bof_rbm", {"agc": False}, (2, 1366), None),
        ("conv1d", {"window_frames": 51, "score_windows": 60}, (96, 60), None),
        ("conv1d", {"window_frames": 51, "score_windows": 61}, (96, 60), "61, and a clip has 60 f"),
        ("statistics", {}, (1, 1), None),
        ("lookup", {}, (1, 1), None),
    ],
)
def test_clips_of_a_size_that_a_model_does_not_take_are_refused(model, options, size, expected):
    mel_bins, frames = size
    if expected is None:
        models.check_input(model, options, mel_bins=mel_bins, frames=frames)
        return
    with pytest.raises(UserError, match=expected):
        models.check_input(model, options, mel_bins=mel_bins, frames=frames)


def test_what_the_workflow_asks_of_models_loads_no_large_library():
    code = (
        "import sys; from autotagging import models; from autotagging.mel.sizes import frame_count;"
        "[models.check_input(m, dict(padded_frames=1440, temporal_frames=96, features='mel',"
        " components=1), mel_bins=96, frames=1366)"
        " for m in ('conv1d', 'crnn', 'fcn4', 'musicnn', 'pooled', 'statistics', 'lookup')];"
        "print({'keras', 'librosa', 'scipy', 'sklearn', 'tensorflow'} & {*sys.modules})"
    )
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout == "set()\n"


def test_an_option_that_no_function_of_a_model_on_features_has_is_named():
    assert models.feature_model("statistics", strength=0.1).solve
    with pytest.raises(UserError, match="model 'statistics' has no option 'strenght'"):
        models.feature_model("statistics", strenght=0.1)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"filters": 32}, None),
        ({"window_frames": None, "windows_per_clip": 2}, None),
        ({"window_frames": 20}, Windows(20, per_clip=1, scored=None)),
        ({"window_frames": 20, "windows_per_clip": 2, "score_windows": 3}, Windows(20, 2, 3)),
        ({"window_frames": 20, "score_windows": None}, Windows(20)),
    ],
)
def test_windows_are_those_of_the_options_that_are_given(options, expected):
    assert models.windows(options) == expected


@pytest.mark.training
@pytest.mark.parametrize(
    ("model", "changes", "expected"),
    [
        ("crnn", {"input_norm": "freq"}, "input_norm is 'freq'; .* frequency, time, none"),
        ("crnn", {"padding_side": "top"}, "padding_side is 'top'; .* both, end, start"),
        ("crnn", {"gru_gates": None}, "gru_gates is None; .* sigmoid, hard_sigmoid"),
        ("fcn4", {"input_norm": "time"}, "input_norm is 'time'; .* frequency, none"),
        ("conv1d", {"input_norm": "mel"}, "input_norm is 'mel'; .* frequency, channel, none"),
        ("pooled", {"structure": "mlp"}, "structure is 'mlp'; .* pfc, mtsl"),
    ],
)
def test_a_choice_that_a_network_does_not_have_is_named(model, changes, expected):
    pytest.importorskip("keras")
    if model == "pooled":
        options = {"input_shape": (8,), "hidden": 4, "short_hidden": 4, "l2": 0.0}
    else:
        options = network_options(model) if model != "crnn" else crnn_options(input_shape=(96, 94))
    with pytest.raises(UserError, match=f"model '{model}': {expected}$"):
        models.build(model, n_tags=2, **{**options, **changes})


def test_a_choice_that_features_do_not_have_is_named():
    with pytest.raises(UserError, match=r"model 'bof_rbm': sampling is 'all'; .* onset, random"):
        models.feature_model("bof_rbm", sampling="all")
