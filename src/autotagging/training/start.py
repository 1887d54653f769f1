"""The stored model whose weights a training starts from, in place of random ones.

Imports TensorFlow only inside functions.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autotagging import models
from autotagging.common.errors import UserError
from autotagging.models.stored import (
    StoredModel,
    check_front_end,
    load_model,
    of_network,
    set_weights,
    weights_of,
    with_names_of,
)

if TYPE_CHECKING:
    import keras

MODEL_JSON = "model.json"


def load_start(path: Path) -> StoredModel:
    """Read the model to start from: its model.json, or the folder that has one.

    Raises
    ------
    UserError
        See `models.stored.load_model`.
    """
    return load_model(path / MODEL_JSON if path.is_dir() else path)


@dataclass(frozen=True)
class Start:
    """A stored model, and the training that starts from its weights.

    Attributes
    ----------
    stored
        Model to start from.
    tags
        Tags of the training, in the order of the outputs.
    """

    stored: StoredModel
    tags: Sequence[str]

    @property
    def has_tags(self) -> bool:
        """Whether the model has the tags of the training, so that its last layer can be used."""
        return [*self.stored.description["tags"]] == [*self.tags]

    def describe(self) -> dict[str, Any]:
        """Describe the start for the model.json of the training."""
        layers = "all layers" if self.has_tags else "all layers but the last"
        return {"corpus": self.stored.description["corpus"], "layers": layers}

    def set_weights(self, network: "keras.Model") -> None:
        """Set the weights of an untrained network, and say so.

        The last layer keeps its own weights if the tags are others.

        Raises
        ------
        UserError
            Names, shapes or types of the weights differ from those of the network.
        """
        own, path = weights_of(network), self.stored.path
        arrays = with_names_of(network, of_network(self.stored.arrays))
        last = network.layers[-1].name
        if self.has_tags:
            print(f"starting from the weights of {path}: all layers", file=sys.stderr)
        else:
            print(
                f"starting from the weights of {path}: all layers but the last, {last!r}, because "
                f"its {len(self.stored.description['tags'])} tags are not the {len(self.tags)} of "
                "this corpus",
                file=sys.stderr,
            )
            own = {k: v for k, v in own.items() if k.startswith(f"{last}/")}
            arrays = {k: v for k, v in arrays.items() if not k.startswith(f"{last}/")} | own
        try:
            set_weights(network, arrays)
        except UserError as error:
            raise UserError(f"{path}: {error}") from error


def check_start(
    stored: StoredModel,
    *,
    model: str,
    options: Mapping[str, Any],
    front_end: Path,
    trained_on: Mapping[str, str],
) -> None:
    """Raise a UserError unless a training can start from a model.

    Parameters
    ----------
    stored
        Model to start from.
    model, options
        Name and options of the model that is trained.
    front_end
        front_end.json of the spectrograms.
    trained_on
        Checksums of the training's audio and split, as in model.json.

    Raises
    ------
    UserError
        The model is another, has other options of the network or another front end, or has been
        trained on the same audio by another split, so that it may know test clips; this holds for
        the model that it started from as well.
    """
    may_differ, found = models.training_options(model), stored.description
    if found["model"] != model:
        raise UserError(
            f"{stored.path}: a model {found['model']!r}; {model!r} can't start from its weights"
        )
    theirs, ours = (models.complete_options(model, each) for each in (found["options"], options))
    for name in {**theirs, **ours}:
        there, here = theirs.get(name, "not known"), ours.get(name, "not known")
        if name not in may_differ and there != here:
            raise UserError(
                f"{stored.path}: {name} is {there}, but {here} in this training, which starts from "
                f"its weights; set train.{model}.{name} to {there}, or train.{model}.start_from to "
                "null"
            )
    check_front_end(stored.path, found["front_end"], front_end)
    for audio, split in _corpora(found["trained_on"]):
        if audio == trained_on["audio_sha256"] and split != trained_on["split_sha256"]:
            raise UserError(
                f"{stored.path}: trained on this corpus by another split, so it may know the test "
                "clips; start from a model of another corpus, or of the same split"
            )


def _corpora(trained_on: Mapping[str, str]) -> Iterator[tuple[str, str | None]]:
    """Give the checksums of audio and split of a model, and of those that it started from."""
    of = ""
    while f"{of}audio_sha256" in trained_on:
        yield trained_on[f"{of}audio_sha256"], trained_on.get(f"{of}split_sha256")
        of += "start_"
