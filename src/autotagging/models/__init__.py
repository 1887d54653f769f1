"""Registry of the models by name (sec. II.C); each model is a folder here.

`models/<name>/__init__.py` has a constant `READS` and imports no TensorFlow. The folder has

- for a network, `build_<name>(*, input_shape, n_tags, precision, ...)` in `network.py`;
- for a model that reads tables, `fit_<name>`, `fits_<name>` and `score_<name>`, see `TableModel`.

Options are the entries of the section `train.<name>` in params.yaml.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from autotagging.common.errors import UserError

if TYPE_CHECKING:
    import keras

MODELS = tuple(sorted(path.parent.name for path in Path(__file__).parent.glob("*/__init__.py")))
"""Names of all models."""


@dataclass(frozen=True)
class TableModel:
    """A model that knows only which track, album and artist a clip is of, with its options.

    Attributes
    ----------
    fit
        Function (labels, groups) -> arrays by name. The labels of the training clips are 0 and 1,
        (clips, tags), groups their track, album and artist, (clips, 3), both indexed by clip_id.
    fits
        Function (arrays, n_tags=...) -> whether arrays have the names, types and shapes that `fit`
        gives.
    score
        Function (arrays, groups) -> scores, float32, (clips, tags).
    """

    fit: Callable[..., dict[str, np.ndarray]]
    fits: Callable[..., bool]
    score: Callable[..., np.ndarray]


def reads(name: str) -> Literal["mel", "tables"]:
    """Tell what a model reads: spectrograms ("mel"), or groups of clips ("tables").

    Raises
    ------
    UserError
        There is no such model.
    """
    if name not in MODELS:
        raise UserError(f"unknown model {name!r}; the models are {', '.join(MODELS)}")
    return import_module(f"{__name__}.{name}").READS


def required(path: Path | None, flag: str, model: str) -> Path:
    """Return the path of an input that this kind of model reads.

    Raises
    ------
    UserError
        The path is not given.
    """
    if path is None:
        raise UserError(f"model {model!r} needs {flag}")
    return path


def table_model(name: str, **options: Any) -> TableModel:
    """Find the functions of a model that reads "tables".

    Parameters
    ----------
    name
        A model that reads "tables".
    options
        Options of the model, as in `params.yaml: train.<name>`.

    Raises
    ------
    UserError
        There is no such model, it is a network, or it has no such option.
    """
    if reads(name) != "tables":
        raise UserError(f"model {name!r} is a network: it reads spectrograms, not tables")
    module = import_module(f"{__name__}.{name}")
    fit, fits, score = (getattr(module, f"{verb}_{name}") for verb in ("fit", "fits", "score"))
    for function in (fit, score):
        _check_options(name, function, (None, None), options)
    return TableModel(partial(fit, **options), fits, partial(score, **options))


def _check_options(
    name: str, function: Callable, arguments: tuple, options: dict[str, Any]
) -> None:
    """Raise a UserError unless a function of a model can be called with these options."""
    try:
        signature(function).bind(*arguments, **options)
    except TypeError as error:
        raise UserError(f"model {name!r}: {error}") from error


def build(name: str, *, input_shape: tuple[int, int], n_tags: int, **options: Any) -> "keras.Model":
    """Build an untrained network.

    Parameters
    ----------
    name
        A model that reads "mel".
    input_shape
        Shape (mel bins, frames) of the log-mel spectrograms, in dB.
    n_tags
        Number of outputs, each a probability.
    options
        Options of the model, as in `params.yaml: train.<name>`; and precision, Keras' dtype policy
        for the layers that may compute in 16 bits.

    Raises
    ------
    UserError
        There is no such network, or it does not accept the input shape or an option.
    """
    if reads(name) != "mel":
        raise UserError(f"model {name!r} is not a network and can't be built")
    builder = getattr(import_module(f"{__name__}.{name}.network"), f"build_{name}")
    options |= {"input_shape": input_shape, "n_tags": n_tags}
    _check_options(name, builder, (), options)
    return builder(**options)
