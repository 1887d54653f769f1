"""The models by name. A model is a folder here: what it reads, how it is fitted, how it scores.

`models/<name>/__init__.py` has a constant `READS` and imports no TensorFlow. Next to it are

- for a network, `build_<name>(*, input_shape, n_tags, precision, ...)` in `network.py`;
- for a model of tables, `fit_<name>`, `fits_<name>` and `score_<name>`, see `TableModel`.

The options are those of the section `train.<name>` in params.yaml.
"""

from collections.abc import Callable
from dataclasses import dataclass
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
    """A model that knows only which track, album and artist a clip is of.

    Attributes
    ----------
    fit
        (labels, groups, **options) -> arrays by name: labels are those of the training clips, 0 and
        1, (clips, tags), groups their track, album and artist, (clips, 3), both indexed by clip_id.
    fits
        (arrays, n_tags=...) -> whether the arrays have names, types and shapes as `fit` makes them.
    score
        (arrays, groups, **options) -> scores, float32, (clips, tags).
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
        raise UserError(f"no model {name!r}; there are {', '.join(MODELS)}")
    return import_module(f"{__name__}.{name}").READS


def required(path: Path | None, flag: str, model: str) -> Path:
    """Insist on an input that this kind of model reads.

    Raises
    ------
    UserError
        It is not given.
    """
    if path is None:
        raise UserError(f"model {model!r} needs {flag}")
    return path


def table_model(name: str) -> TableModel:
    """Find the functions of a model that reads "tables".

    Raises
    ------
    UserError
        There is no such model, or it is a network.
    """
    if reads(name) != "tables":
        raise UserError(f"model {name!r} is a network: it reads spectrograms, not tables")
    module = import_module(f"{__name__}.{name}")
    return TableModel(*(getattr(module, f"{verb}_{name}") for verb in ("fit", "fits", "score")))


def build(name: str, *, input_shape: tuple[int, int], n_tags: int, **options: Any) -> "keras.Model":
    """Build an untrained network.

    Parameters
    ----------
    name
        A model that reads "mel".
    input_shape
        (mel bins, frames) of the log-mel spectrograms, in dB.
    n_tags
        Number of outputs, each a probability.
    options
        The model's own, as in `params.yaml: train.<name>`; and precision, a dtype policy of Keras
        for what it computes in 16 bits.

    Raises
    ------
    UserError
        There is no such network, or it can't take that input or option.
    """
    if reads(name) != "mel":
        raise UserError(f"model {name!r} is not a network: there is nothing to build")
    builder = getattr(import_module(f"{__name__}.{name}.network"), f"build_{name}")
    try:
        signature(builder).bind(input_shape=input_shape, n_tags=n_tags, **options)
    except TypeError as error:
        raise UserError(f"model {name!r}: {error}") from error
    return builder(input_shape=input_shape, n_tags=n_tags, **options)
