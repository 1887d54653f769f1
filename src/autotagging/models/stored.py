"""A trained model on disk: its description in model.json, and its arrays in weights.npz.

For a network, epochs.npz has the weights after other epochs, which only `evaluate` reads.

No code is read from these files: they only select a model of the registry.
"""

import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import numpy as np

from autotagging import models
from autotagging.common.errors import UserError
from autotagging.common.files import load_arrays, read_json, save_arrays, sha256, write_json
from autotagging.dataset.store import FRONT_END, read_front_end

if TYPE_CHECKING:
    import keras

WEIGHTS, EPOCHS = "weights.npz", "epochs.npz"
FEATURES = "features/"
"""Beginning of the names of a model's arrays that are not weights of its network."""
_RECORD = ("corpus", "split", "trained_on", "versions")
_COUNT = {"type": "integer", "minimum": 1}
_SCALAR = ["boolean", "number", "string", "null"]
_PLAIN = {"additionalProperties": {"type": _SCALAR}}
_OPTION = {"type": [*_SCALAR, "array"], "items": {"$ref": "#/$defs/option"}}
_DEFINED = {"$defs": {"option": _OPTION}}
_SCHEMA = {
    **_DEFINED,
    "type": "object",
    "required": ["model", "seed", "options", "weights_sha256", "tags", *_RECORD],
    "properties": {
        "model": {"enum": [*models.MODELS]},
        "seed": {"type": ["integer", "null"]},
        "corpus": {"type": "string"},
        "split": {"type": "string"},
        "options": {"type": "object", "additionalProperties": {"$ref": "#/$defs/option"}},
        "weights_sha256": {"type": "string"},
        "epochs_sha256": {"type": "string"},
        "tags": {"type": "array", "items": {"type": "string"}, "minItems": 1, "uniqueItems": True},
        "input_shape": {"type": "array", "items": _COUNT, "minItems": 1, "maxItems": 2},
        "front_end": {"type": "object", "required": [*FRONT_END], **_PLAIN},
        "trained_on": {"type": "object", **_PLAIN},
        "versions": {"type": "object", **_PLAIN},
    },
}
_OF_NETWORK = {"required": ["input_shape", "front_end"]}


@dataclass(frozen=True)
class StoredModel:
    """A model as read from disk and checked.

    Attributes
    ----------
    path
        Path of model.json.
    description
        Content of model.json: model, seed (None: not known), options, tags in the order of the
        outputs, and more. For a network also input_shape, that of a clip, a window or its features,
        and front_end.
    arrays
        Arrays of weights.npz, by name.
    """

    path: Path
    description: dict[str, Any]
    arrays: dict[str, np.ndarray]


def save_model(
    model_json: Path, weights: Path, description: dict[str, Any], arrays: Mapping[str, np.ndarray]
) -> None:
    """Write a model's arrays, and then its description with their checksum.

    The same model gives the same bytes. `load_model` expects `weights` next to `model_json`, with
    the name weights.npz.

    Raises
    ------
    UserError
        `load_model` would not accept the description or the arrays; nothing is written.
    """
    if name := not_finite(arrays):
        raise UserError(f"{model_json}: {name!r} has values that are not finite; not written")
    if fault := _fault({**description, "weights_sha256": ""}):
        raise UserError(f"{model_json}: {fault}; not written")
    save_arrays(weights, arrays)
    write_json({**description, "weights_sha256": sha256(weights)}, model_json)


def load_model(model_json: Path | str) -> StoredModel:
    """Read a model, and check what can be checked without building it; imports no TensorFlow.

    Raises
    ------
    UserError
        The file is of another kind, damaged or incomplete; or weights.npz next to it is not the
        one it was written with, or contains anything other than finite numbers and text.
    """
    model_json = Path(model_json)
    if model_json.suffix != ".json" or model_json.is_dir():
        raise UserError(
            f"{model_json}: expected a model.json of this project with {WEIGHTS} next to it; "
            "other kinds of model files can run code when they are opened"
        )
    description = read_json(model_json)
    if fault := _fault(description):
        raise UserError(f"{model_json}: {fault}; train again")
    weights = model_json.with_name(WEIGHTS)
    if sha256(weights) != description["weights_sha256"]:
        raise UserError(f"{weights}: not the weights of {model_json}; train again")
    arrays = load_arrays(weights)
    if name := not_finite(arrays):
        raise UserError(f"{weights}: {name!r} has values that are not finite; train again")
    model, n_tags = description["model"], len(description["tags"])
    if models.reads(model) == "tables":
        try:
            fits = models.table_model(model, **description["options"]).fits
        except UserError as error:
            raise UserError(f"{model_json}: {error}; train again") from error
        if not fits(arrays, n_tags=n_tags):
            raise UserError(f"{weights}: not the arrays of {model_json}; train again")
    return StoredModel(model_json, description, arrays)


def not_finite(arrays: Mapping[str, np.ndarray]) -> str | None:
    """Name the first array that has values that are not finite; None: there is none."""
    for name, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            return name
    return None


def stack_epochs(
    epochs: Mapping[int, Sequence[np.ndarray]], names: Sequence[str]
) -> dict[str, np.ndarray]:
    """Stack the weights after some epochs into the arrays of epochs.npz.

    Parameters
    ----------
    epochs
        Weights by epoch (from 1), in the order of `names`; may be empty.
    names
        Names of the weights, from `weights_of`.

    Returns
    -------
    arrays
        epoch, (epochs,), and each weight as (epochs, ...).
    """
    stacked = zip(*epochs.values(), strict=True)
    numbers = {"epoch": np.array([*epochs], np.int64)}
    return numbers | {name: np.stack(each) for name, each in zip(names, stacked, strict=False)}


def load_epochs(stored: StoredModel) -> dict[int, dict[str, np.ndarray]]:
    """Read the weights after the epochs that train kept, by epoch; empty if there are none.

    Raises
    ------
    UserError
        epochs.npz next to model.json is missing, damaged, or not the one it was written with.
    """
    path = stored.path.with_name(EPOCHS)
    if not path.exists() or sha256(path) != stored.description.get("epochs_sha256"):
        raise UserError(f"{path}: not the epochs of {stored.path}; train again")
    arrays = load_arrays(path)
    epochs = arrays.pop("epoch")
    return {
        int(epoch): {name: stacked[i] for name, stacked in arrays.items()}
        for i, epoch in enumerate(epochs)
    }


def build_network(stored: StoredModel) -> "keras.Model":
    """Build a stored network from the registry and set its weights.

    Returns
    -------
    model : (batch, *input_shape) -> (batch, tags)

    Raises
    ------
    UserError
        The model is not a network, its options are not accepted, or names, shapes or types of the
        weights differ from those of the built network.
    """
    description = stored.description
    try:
        network = models.build(
            description["model"],
            input_shape=tuple(description.get("input_shape", ())),  # only networks have one
            n_tags=len(description["tags"]),
            **description["options"],
        )
        set_weights(network, of_network(stored.arrays))
    except (UserError, TypeError, ValueError) as error:
        raise UserError(f"{stored.path}: {error}") from error
    return network


def check_options(model: str, options: Mapping[str, Any]) -> None:
    """Raise a UserError for an option that a description can't hold, before the model is fitted."""
    for name, value in options.items():
        if not jsonschema.Draft202012Validator({**_OPTION, **_DEFINED}).is_valid(value):
            raise UserError(
                f"train.{model}.{name} is {_short(repr(value))}; an option is a number, a text, "
                "true, false, null, or a list of these"
            )


def _fault(description: Any) -> str | None:
    """Describe the first entry that is missing or invalid, with its place; None: all are valid."""
    errors = [*jsonschema.Draft202012Validator(_SCHEMA).iter_errors(description)]
    if not errors and models.reads_spectrograms(description["model"]):
        errors = [*jsonschema.Draft202012Validator(_OF_NETWORK).iter_errors(description)]
    for error in sorted(errors, key=lambda error: [*map(str, error.path)]):
        return f"{'.'.join(map(str, error.path)) or 'top level'}: {_short(error.message)}"
    return None


def _short(text: str) -> str:
    return textwrap.shorten(text, 200, placeholder=" ...")


def of_network(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Select the weights of the network among a model's arrays."""
    return {name: array for name, array in arrays.items() if not name.startswith(FEATURES)}


def of_features(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Select the arrays of the fitted features among a model's arrays."""
    return {
        name.removeprefix(FEATURES): array
        for name, array in arrays.items()
        if name.startswith(FEATURES)
    }


def weights_of(model: "keras.Model") -> dict[str, np.ndarray]:
    """Weights of a model by layer and name, such as "conv_1/kernel"."""
    return {weight.path.removeprefix(f"{model.name}/"): weight.numpy() for weight in model.weights}


def with_names_of(model: "keras.Model", arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Rename stored arrays if their names differ from a model's own only by Keras' numbers.

    Keras names a layer that has no name after its class, with a number that counts all layers of
    the process, also those of other networks; so their weights are known by their order.
    """
    import keras

    own = weights_of(model)
    classes = {*dir(keras.layers), *(type(layer).__name__ for layer in model.layers)}
    automatic = {_snake_case(name) for name in classes}

    def without_numbers(path: str) -> list[str]:
        parts = [(part, re.sub(r"_\d+$", "", part)) for part in path.split("/")]
        return [
            base if re.sub("^(forward|backward)_", "", base) in automatic else part
            for part, base in parts
        ]

    kinds, own_kinds = ([without_numbers(path) for path in each] for each in (arrays, own))
    same = {*arrays} == {*own} or kinds != own_kinds
    return dict(arrays if same else zip(own, arrays.values(), strict=True))


def _snake_case(name: str) -> str:
    """Name of a class as Keras writes it in the names of its layers: GRUCell, gru_cell."""
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def set_weights(model: "keras.Model", arrays: Mapping[str, np.ndarray]) -> None:
    """Set the weights of a model from stored arrays.

    Raises
    ------
    UserError
        Names, shapes or types differ from those of the model.
    """
    own = weights_of(model)
    arrays = with_names_of(model, arrays)
    expected = {name: f"{array.shape} {array.dtype}" for name, array in own.items()}
    found = {name: f"{array.shape} {array.dtype}" for name, array in arrays.items()}
    if found != expected:
        name = next(k for k in {**expected, **found} if found.get(k) != expected.get(k))
        raise UserError(
            f"stored weight {name!r} is {found.get(name, 'missing')}, the model's is "
            f"{expected.get(name, 'missing')}; train again"
        )
    model.set_weights(list(arrays[name] for name in expected))


def check_data(stored: StoredModel, **files: Path) -> None:
    """Raise UserError if labels or split are not those a model was trained on.

    With another split, test clips may be among those the model was trained on.

    Parameters
    ----------
    stored
        Model.
    files
        Files by the name that trained_on has for them: labels, split.
    """
    for name, path in files.items():
        expected = stored.description["trained_on"].get(f"{name}_sha256")
        if expected is None:
            raise UserError(
                f"{stored.path}: it does not say which {name} it was trained with, so its test "
                "clips are not known; train from its weights, and evaluate that model"
            )
        if sha256(path) != expected:
            raise UserError(
                f"{path}: not the {name} that {stored.path} was trained with; train again"
            )


def check_front_end(model_json: Path, trained_on: dict[str, Any], front_end: Path) -> None:
    """Raise UserError if spectrograms have other settings than those a model was trained on.

    Parameters
    ----------
    model_json
        Path of the model, for the message.
    trained_on
        Entry front_end of model.json.
    front_end
        Path of front_end.json of the spectrograms.

    Raises
    ------
    UserError
        A setting differs.
    """
    found = read_front_end(front_end)
    for name in {**trained_on, **found}:
        there, here = trained_on.get(name, "not known"), found.get(name, "not known")
        if there != here:
            raise UserError(
                f"{front_end}: {name} is {here}, but {model_json} was trained on {there}; extract "
                "the spectrograms with the model's settings, or train again"
            )


def stock_class(layer: "keras.Layer") -> type:
    """Return the Keras class of a layer, or the one it derives from."""
    return next(base for base in type(layer).__mro__ if base.__module__.startswith("keras."))


def trainable_parameters(model: "keras.Model") -> int:
    """Count the trainable parameters of a built model."""
    return sum(layer["trainable_parameters"] for layer in architecture(model))


def architecture(model: "keras.Model") -> list[dict[str, Any]]:
    """List the layers of a built model: name, type, output_shape without batch, parameters.

    Of a layer with several outputs, the shape is that of the first.
    """
    import keras

    return [
        {
            "name": layer.name,
            "type": stock_class(layer).__name__,
            "output_shape": list(keras.tree.flatten(layer.output)[0].shape[1:]),
            "parameters": layer.count_params(),
            "trainable_parameters": int(sum(np.prod(w.shape) for w in layer.trainable_weights)),
        }
        for layer in model.layers
    ]
