"""A trained model on disk: weights as arrays only, and what they are weights of."""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from autotagging.errors import UserError
from autotagging.files import read_json, replacing

if TYPE_CHECKING:
    import keras


def save_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write named arrays as .npz: the same bytes each time, a checksum for each array."""
    with replacing(path) as temporary:
        np.savez(temporary, **arrays)


def load_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read named arrays; never runs code from the file.

    Raises
    ------
    UserError
        The file is damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return dict(arrays)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(f"{path}: damaged or not an .npz file ({error}); make it again") from error


def weights_of(model: "keras.Model") -> dict[str, np.ndarray]:
    """Weights of a model by layer and name, such as "conv_1/kernel"."""
    return {weight.path.removeprefix(f"{model.name}/"): weight.numpy() for weight in model.weights}


def set_weights(model: "keras.Model", arrays: Mapping[str, np.ndarray]) -> None:
    """Put stored weights into a model.

    Raises
    ------
    UserError
        Names or shapes are not those of the model.
    """
    expected = {name: array.shape for name, array in weights_of(model).items()}
    found = {name: array.shape for name, array in arrays.items()}
    if found != expected:
        name = next(iter({k: v for k, v in {**found, **expected}.items() if found.get(k) != v}))
        raise UserError(
            f"stored weight {name!r} is {found.get(name, 'missing')}, the model's is "
            f"{expected.get(name, 'missing')}; train it again"
        )
    model.set_weights(list(arrays[name] for name in expected))


def check_front_end(model_json: Path, trained_on: dict[str, Any], front_end: Path) -> None:
    """Refuse spectrograms that were made with other settings than those a model was trained on.

    Parameters
    ----------
    model_json
        The model, for the message.
    trained_on
        The entry front_end of model.json.
    front_end
        front_end.json of the spectrograms.

    Raises
    ------
    UserError
        A setting differs.
    """
    found = read_json(front_end)
    for name in {**trained_on, **found}:
        there, here = trained_on.get(name, "not known"), found.get(name, "not known")
        if there != here:
            raise UserError(
                f"{front_end}: {name} is {here}, but {model_json} was trained on {there}; extract "
                "spectrograms as the model needs them, or train again"
            )


def architecture(model: "keras.Model") -> list[dict[str, Any]]:
    """List the layers of a built model: name, type, output_shape without batch, parameters."""
    return [
        {
            "name": layer.name,
            "type": type(layer).__name__,
            "output_shape": list(layer.output.shape[1:]),
            "parameters": layer.count_params(),
            "trainable_parameters": int(sum(np.prod(w.shape) for w in layer.trainable_weights)),
        }
        for layer in model.layers
    ]
