"""Tell trainings apart whose results differ."""

from pathlib import Path
from typing import Any

from autotagging import models
from autotagging.common.fingerprint import fingerprint, modules
from autotagging.common.versions import versions

_ROOMS = (
    "steps/train.py",
    "common/*.py",
    "dataset/*.py",
    "training/*.py",
    "models/*.py",
)


def training_fingerprint(model: str, *parts: Any) -> str:
    """Hash everything that the result of a training depends on: settings, code and libraries."""
    used = versions(*models.libraries(model))
    return fingerprint(model, *parts, used, code=code_of(model))


def code_of(model: str) -> list[Path]:
    """List the modules that the result of a training depends on, including the model's own."""
    rooms = ["features/*.py"] if models.reads(model) == "features" else []
    return modules(*_ROOMS, *rooms, f"models/{model}/*.py")
