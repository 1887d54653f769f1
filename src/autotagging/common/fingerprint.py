"""Tell interrupted runs of a step apart whose results differ, in parameters, data or code."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def fingerprint(*parts: Any, code: Iterable[Path]) -> str:
    """Hash what a result depends on.

    Parameters
    ----------
    parts
        Settings, checksums and versions, as JSON can write them.
    code
        Modules, whose content is hashed.

    Returns
    -------
    fingerprint
        Hexadecimal SHA-256.
    """
    digest = hashlib.sha256(json.dumps(parts).encode())
    for path in code:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def modules(*patterns: str) -> list[Path]:
    """List the modules of this package whose paths match a pattern, such as "common/*.py"."""
    package = Path(__file__).parents[1]
    return [path for pattern in patterns for path in sorted(package.glob(pattern))]
