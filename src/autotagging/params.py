"""Read parameters as people and DVC write them."""

import re
from typing import Any

_EXPONENT = re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+")


def read_exponents(value: Any) -> Any:
    """Read numbers such as 1e-05, which YAML 1.1 takes for text, wherever they stand.

    Parameters
    ----------
    value
        A parameter, or a dictionary or list of them.
    """
    if isinstance(value, dict):
        return {name: read_exponents(child) for name, child in value.items()}
    if isinstance(value, list):
        return [read_exponents(child) for child in value]
    if isinstance(value, str) and _EXPONENT.fullmatch(value):
        return float(value)
    return value
