"""The models by name: what each reads, and how it is built."""

from dataclasses import dataclass
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from autotagging.common.errors import UserError

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class ModelEntry:
    """A model of the registry.

    Attributes
    ----------
    reads
        "mel": a network that listens to spectrograms, trained in epochs. "tables": it knows only
        which track, album and artist a clip is of.
    """

    reads: Literal["mel", "tables"]


MODELS = {"crnn": ModelEntry(reads="mel"), "lookup": ModelEntry(reads="tables")}


def reads(name: str) -> Literal["mel", "tables"]:
    """Tell what a model reads.

    Raises
    ------
    UserError
        There is no such model.
    """
    if name not in MODELS:
        raise UserError(f"no model {name!r}; there are {', '.join(MODELS)}")
    return MODELS[name].reads


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


def build(name: str, *, input_shape: tuple[int, int], n_tags: int, **options: Any) -> "keras.Model":
    """Build an untrained network.

    Parameters
    ----------
    name
        A key of MODELS that reads "mel"; the module of that name has a function build_<name>.
    input_shape
        (mel bins, frames) of the log-mel spectrograms, in dB.
    n_tags
        Number of outputs, each a probability.
    options
        The model's own, as in `params.yaml: train.<name>`; it computes in the precision that Keras'
        global policy has.

    Raises
    ------
    UserError
        There is no such network, or it can't take that input or option.
    """
    if reads(name) != "mel":
        raise UserError(f"model {name!r} is not a network: there is nothing to build")
    builder = getattr(import_module(f"autotagging.models.{name}"), f"build_{name}")
    try:
        signature(builder).bind(input_shape=input_shape, n_tags=n_tags, **options)
    except TypeError as error:
        raise UserError(f"model {name!r}: {error}") from error
    return builder(input_shape=input_shape, n_tags=n_tags, **options)
