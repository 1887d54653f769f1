"""Options of networks and settings of a training, as several tests start from them."""

from typing import Any

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
