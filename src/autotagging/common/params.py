"""Read parameters from YAML, and check params.yaml against its JSON schema."""

import re
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from autotagging.common.errors import UserError

_EXPONENT = re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+")


def read_exponents(value: Any) -> Any:
    """Convert numbers such as 1e-05, which YAML 1.1 reads as text, to floats, at any depth.

    Parameters
    ----------
    value
        A parameter, or a dictionary or list of parameters.
    """
    if isinstance(value, dict):
        return {name: read_exponents(child) for name, child in value.items()}
    if isinstance(value, list):
        return [read_exponents(child) for child in value]
    if isinstance(value, str) and _EXPONENT.fullmatch(value):
        return float(value)
    return value


def read_options(options: list[str]) -> dict[str, Any]:
    """Read name=value pairs whose values are written as in YAML.

    Raises
    ------
    UserError
        A pair has no "=".
    """
    read = {}
    for option in options:
        name, equals, value = option.partition("=")
        if not equals:
            raise UserError(f"option {option!r}: expected name=value")
        read[name] = read_exponents(yaml.safe_load(value))
    return read


def read_schema(folder: Path) -> dict[str, Any]:
    """Read the schema of params.yaml, including the schemas of the models' options.

    Parameters
    ----------
    folder
        Folder with params.schema.yaml, and models/<name>.schema.yaml for each model.
    """
    schema = yaml.safe_load((folder / "params.schema.yaml").read_text(encoding="utf-8"))
    options = {
        path.name.removesuffix(".schema.yaml"): yaml.safe_load(path.read_text(encoding="utf-8"))
        for path in sorted((folder / "models").glob("*.schema.yaml"))
    }
    schema["properties"]["models"]["items"] = {"enum": [*options]}
    train = schema["properties"]["train"]
    train["properties"] |= options
    train["required"] += [*options]
    return schema


def faults(params: dict[str, Any], schema: dict[str, Any]) -> list[str]:
    """List the faults of params.yaml, one line each, with the name of the parameter.

    Parameters
    ----------
    params
        Content of params.yaml.
    schema
        JSON schema, from `read_schema`.
    """
    errors = jsonschema.Draft202012Validator(schema).iter_errors(params)
    return [
        f"params.yaml: {'.'.join(map(str, error.path)) or 'top level'}: {error.message}"
        for error in sorted(errors, key=lambda error: [*map(str, error.path)])
    ]
