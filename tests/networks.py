"""Options of the CRNN and settings of a training, as several tests start from them."""

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
        **changes,
    }


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
