"""What tests of networks and trainings start from: options, settings, descriptions."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from autotagging.mel.spectrogram import describe_front_end
from autotagging.training.checkpoints import Checkpoints
from autotagging.training.settings import TrainingSettings


def crnn_options(**changes: Any) -> dict[str, Any]:
    """Options of the CRNN for spectrograms of up to 96 frames, with some changed."""
    return {
        "padded_frames": 96,
        "padding_side": "both",
        "padding_value": 0.0,
        "input_norm": "frequency",
        "batch_norm_momentum": 0.9,
        "pool_dropout": 0.1,
        "output_dropout": 0.3,
        "gru_reset_after": True,
        "gru_gates": "sigmoid",
        **changes,
    }


NETWORKS = {
    "conv1d": {
        "input_shape": (96, 141),
        "filters": 32,
        "l2": 5e-6,
        "input_norm": "frequency",
        "batch_norm_momentum": 0.9,
    },
    "fcn4": {
        "input_shape": (96, 1366),
        "width": 1.0,
        "pool_dropout": 0.5,
        "input_norm": "none",
        "batch_norm_momentum": 0.9,
    },
    "musicnn": {
        "input_shape": (96, 187),
        "width": 1.0,
        "temporal_frames": 128,
        "middle_filters": 64,
        "hidden_units": 200,
        "dropout_rate": 0.5,
        "l2": 5e-6,
        "batch_norm_momentum": 0.9,
    },
    "short_chunk": {
        "input_shape": (96, 173),
        "filters": 128,
        "residual": True,
        "dropout_rate": 0.5,
        "l2": 5e-5,
        "batch_norm_momentum": 0.9,
    },
}
"""Input shapes and options of networks at the size of their sources."""


def network_options(name: str, **changes: Any) -> dict[str, Any]:
    """Input shape and options of a network at the size of its source, with some changed."""
    return {**NETWORKS[name], **changes}


def training_settings(**changes: Any) -> TrainingSettings:
    """TrainingSettings of a training of 5 epochs, with some changed."""
    settings = {
        "batch_size": 8,
        "epochs": 5,
        "learning_rate": 0.05,
        "schedule": "constant",
        "output_bias": "zero",
        "monitor": "val_loss",
        "patience": None,
        "keep_epochs": "last",
        "precision": "float32",
    }
    return TrainingSettings(**{**settings, **changes})


def checkpoints_in(folder: Path, **changes: Any) -> Checkpoints:
    """Checkpoints of a training, with some of what they belong to changed."""
    settings = {"fingerprint": "a", "devices": "CPU, 2 threads"}
    settings |= {"keep_epochs": "last", "minutes": 10}
    return Checkpoints(folder, **{**settings, **changes})


FRONT_END = describe_front_end(
    sample_rate=12_000, n_fft=512, hop_length=256, n_mels=96, seconds=2.0, log_scale="power_db"
)


def model_description(
    model: str, options: dict[str, Any], tags: Sequence[str], **changes: Any
) -> dict[str, Any]:
    """Entries of a model.json that nothing was trained for, with some changed."""
    return {
        **{"model": model, "seed": 0, "corpus": "demo", "split": "random 2/1/1"},
        **{"options": options, "tags": [*tags], "trained_on": {}, "versions": {}},
        **{"input_shape": [96, FRONT_END["frames"]], "front_end": FRONT_END},
        **changes,
    }


def stock_crnn(*, frames: int, padding: int, n_tags: int) -> Any:
    """Build the CRNN of stock Keras layers in the paper's order, without dropout."""
    import keras

    x = inputs = keras.Input((96, frames))
    x = keras.layers.BatchNormalization(axis=1)(x)
    x = keras.layers.Reshape((96, frames, 1))(x)
    x = keras.layers.ZeroPadding2D(((0, 0), (padding, padding)))(x)
    for filters, pool in ((64, 2), (128, 3), (128, 4), (128, 4)):
        x = keras.layers.Conv2D(filters, 3, padding="same")(x)
        x = keras.layers.BatchNormalization()(x)
        x = keras.layers.ELU()(x)
        x = keras.layers.MaxPooling2D(pool)(x)
    x = keras.layers.Reshape((-1, 128))(x)
    x = keras.layers.GRU(32, return_sequences=True)(x)
    x = keras.layers.GRU(32)(x)
    return keras.Model(inputs, keras.layers.Dense(n_tags, activation="sigmoid")(x))
