"""Tell trainings apart whose results differ."""

import hashlib
import json
from pathlib import Path
from typing import Any

from autotagging import models
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
    digest = hashlib.sha256(json.dumps([model, *parts, used]).encode())
    for path in code_of(model):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def code_of(model: str) -> list[Path]:
    """List the modules that the result of a training depends on, including the model's own."""
    rooms = ["features/*.py"] if models.reads(model) == "features" else []
    package = Path(models.__file__).parents[1]
    return [
        path
        for room in (*_ROOMS, *rooms, f"models/{model}/*.py")
        for path in sorted(package.glob(room))
    ]
