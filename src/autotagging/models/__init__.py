"""The models by name: what each reads, and how it is built."""

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

from autotagging.errors import UserError

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class ModelEntry:
    """A model of the registry.

    Attributes
    ----------
    reads
        "mel": shards of spectrograms.
    """

    reads: Literal["mel"]


MODELS = {"crnn": ModelEntry(reads="mel")}


def build(name: str, *, input_shape: tuple[int, int], n_tags: int, **options: Any) -> "keras.Model":
    """Build an untrained model.

    Parameters
    ----------
    name
        A key of MODELS; the module of that name has a function build_<name>.
    input_shape
        (mel bins, frames) of the log-mel spectrograms, in dB.
    n_tags
        Number of outputs, each a probability.
    options
        The model's own, as in `params.yaml: train.<name>`.

    Raises
    ------
    UserError
        There is no such model, or it can't take that input or option.
    """
    if name not in MODELS:
        raise UserError(f"no model {name!r}; there are {', '.join(MODELS)}")
    builder = getattr(import_module(f"autotagging.models.{name}"), f"build_{name}")
    try:
        return builder(input_shape=input_shape, n_tags=n_tags, **options)
    except TypeError as error:
        raise UserError(f"model {name!r}: {error}") from error
