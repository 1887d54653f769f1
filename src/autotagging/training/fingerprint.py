"""Tell trainings apart whose results differ."""

import hashlib
import json
from pathlib import Path
from typing import Any

from autotagging import models
from autotagging.common.versions import versions

# Code that the result of a training depends on, including the model's own.
_FINGERPRINTED = (
    "steps/train.py",
    "common/*.py",
    "dataset/*.py",
    "features/*.py",
    "training/*.py",
    "models/*.py",
    "models/{model}/*.py",
)


def training_fingerprint(model: str, *parts: Any) -> str:
    """Hash everything that the result of a training depends on: settings, code and libraries."""
    digest = hashlib.sha256(
        json.dumps([model, *parts, versions(*models.libraries(model))]).encode()
    )
    package = Path(models.__file__).parents[1]
    for code in _FINGERPRINTED:
        for path in sorted(package.glob(code.format(model=model))):
            digest.update(path.read_bytes())
    return digest.hexdigest()
