"""Read params.yaml, with values from the command line, and check it against its JSON schema."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from autotagging.common.errors import UserError
from autotagging.common.strict_yaml import parse_yaml, read_yaml

OWN_SETTINGS = (
    "batch_size",
    "epochs",
    "learning_rate",
    "schedule",
    "output_bias",
    "monitor",
    "patience",
    "keep_epochs",
    "precision",
)
"""Settings of `train` that `train.<model>.training` may replace for a model."""

_NO_OPTIONS = ("training", "start_from")


def options_of(section: dict[str, Any]) -> dict[str, Any]:
    """Select a model's own options in its section, `train.<model>`: all but how it is trained."""
    return {name: value for name, value in section.items() if name not in _NO_OPTIONS}


def read_params(
    path: Path, overrides: dict[str, Any] | None = None, *, configfiles: Sequence[Path] = ()
) -> dict[str, Any]:
    """Read params.yaml strictly, and replace single values.

    Parameters
    ----------
    path
        Path of params.yaml.
    overrides
        Values to use instead of those in the files, at any depth. Text is read as in YAML, because
        `snakemake --config train={"epochs":3}` gives numbers as text.
    configfiles
        Paths of YAML files with values to use instead of those in params.yaml, also at any depth; a
        later file replaces values of an earlier one.

    Raises
    ------
    UserError
        A file can't be read or is not a mapping.
    """
    params = _read_mapping(path)
    for file in configfiles:
        params = _replaced(params, _read_mapping(file))
    return _replaced(params, _typed(overrides or {}, name="--config"))


def _read_mapping(path: Path) -> dict[str, Any]:
    content = read_yaml(path)
    if not isinstance(content, dict):
        raise UserError(f"{path}: expected a mapping of parameters")
    return content


def _typed(value: Any, *, name: str) -> Any:
    """Read all text in an override as YAML."""
    if isinstance(value, dict):
        return {key: _typed(child, name=f"{name} {key}") for key, child in value.items()}
    if isinstance(value, list):
        return [_typed(child, name=name) for child in value]
    return parse_yaml(value, name=name) if isinstance(value, str) else value


def _replaced(params: dict[str, Any], overrides: dict[str, Any]) -> dict[str, Any]:
    result = dict(params)
    for key, value in overrides.items():
        nested = isinstance(value, dict) and isinstance(params.get(key), dict)
        result[key] = _replaced(params[key], value) if nested else value
    return result


def read_options(options: list[str]) -> dict[str, Any]:
    """Read name=value pairs whose values are written as in YAML.

    Raises
    ------
    UserError
        A pair has no "=", or its value is not valid YAML.
    """
    read = {}
    for option in options:
        name, equals, value = option.partition("=")
        if not equals:
            raise UserError(f"option {option!r}: expected name=value")
        read[name] = parse_yaml(value, name=f"option {name}")
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
    own = {name: train["properties"][name] for name in OWN_SETTINGS}
    for section in options.values():
        section["properties"]["training"] = {
            "description": "Settings of this model's training in place of the common ones.",
            "type": "object",
            "additionalProperties": False,
            "properties": own,
        }
    train["properties"] |= options
    train["required"] += [*options]
    return schema


def faults(
    params: dict[str, Any], schema: dict[str, Any], *, source: str = "params.yaml"
) -> list[str]:
    """List the faults of params.yaml, one line each, with the name of the parameter.

    4.0 is not an integer, and neither infinity nor what exceeds a float is a number.

    Parameters
    ----------
    params
        Content of params.yaml.
    schema
        JSON schema, from `read_schema`.
    source
        Where the parameters come from, for the message.
    """
    errors = _STRICT(schema).iter_errors(params)
    return [
        f"{source}: {'.'.join(map(str, error.path)) or 'top level'}: {error.message}"
        for error in sorted(errors, key=lambda error: [*map(str, error.path)])
    ]


def _is_integer(checker: jsonschema.TypeChecker, value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(checker: jsonschema.TypeChecker, value: Any) -> bool:
    """Tell whether a value is a number that a float can have: no NaN, infinity or 400 digits."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= sys.float_info.max  # NaN is not


_STRICT = jsonschema.validators.extend(
    jsonschema.Draft202012Validator,
    type_checker=jsonschema.Draft202012Validator.TYPE_CHECKER.redefine_many(
        {"integer": _is_integer, "number": _is_number}
    ),
)
