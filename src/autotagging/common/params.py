"""Read parameters as people and DVC write them, and check them."""

import re
from pathlib import Path
from typing import Any

import jsonschema
import yaml

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


def faults(params: dict[str, Any], schema: Path) -> list[str]:
    """List what is wrong with params.yaml: a line for each fault that names the parameter.

    Parameters
    ----------
    params
        Content of params.yaml.
    schema
        JSON schema, as YAML.
    """
    validator = jsonschema.Draft202012Validator(yaml.safe_load(schema.read_text()))
    errors = sorted(validator.iter_errors(params), key=lambda error: [*map(str, error.path)])
    return [
        f"params.yaml: {'.'.join(map(str, error.path)) or 'top level'}: {error.message}"
        for error in errors
    ]
