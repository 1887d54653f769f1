"""A fitted model, and how a network becomes one: built, trained or solved, and described.

Imports TensorFlow only inside functions.
"""

import sys
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from autotagging import models
from autotagging.models.stored import FEATURES
from autotagging.training.checkpoints import Checkpoints
from autotagging.training.features import keep
from autotagging.training.inputs import Inputs
from autotagging.training.settings import TrainingSettings
from autotagging.training.start import Start

if TYPE_CHECKING:
    import keras

    from autotagging.training.devices import Devices

_NO_EPOCHS = pd.DataFrame(columns=["epoch", "loss", "val_loss", "auc", "val_auc"])
_NO_TIMES = pd.DataFrame(columns=["epoch", "seconds", "waiting"])


@dataclass(frozen=True)
class Fitted:
    """A fitted model of any kind.

    Attributes
    ----------
    arrays
        Contents of weights.npz.
    history, times
        Tables with a row per epoch.
    epochs
        Weights after the kept epochs.
    description
        Further entries of model.json.
    checkpoints
        Checkpoints that can be deleted once the results are read.
    """

    arrays: dict[str, np.ndarray]
    history: pd.DataFrame = field(default_factory=_NO_EPOCHS.copy)
    times: pd.DataFrame = field(default_factory=_NO_TIMES.copy)
    epochs: dict[int, list[np.ndarray]] = field(default_factory=dict)
    description: dict[str, Any] = field(default_factory=dict)
    checkpoints: Checkpoints | None = None


def fit_network(
    model: str,
    options: dict[str, Any],
    inputs: Inputs,
    settings: TrainingSettings,
    *,
    seed: int,
    threads: int,
    devices: "Devices",
    checkpoints: Checkpoints,
    start: Start | None = None,
) -> Fitted:
    """Build a network, fit it to its inputs, and describe the result.

    Parameters
    ----------
    model, options
        Name and options of the model.
    inputs
        Inputs of the network.
    settings
        Settings of the training, with the precision that is used.
    seed
        Seed of the order of clips.
    threads
        Number of CPU threads, for the description.
    devices, checkpoints
        See `loop.fit`.
    start
        Model whose weights the training starts from; None: initial weights.
    """
    from autotagging.models.stored import architecture, trainable_parameters, weights_of
    from autotagging.training.costs import multiply_adds
    from autotagging.training.step import set_output_bias

    with devices.scope():
        network = models.build(
            model,
            input_shape=inputs.shape,
            n_tags=inputs.train.labels.shape[1],
            **options,
            precision=settings.precision,
        )
    # Before the training, so that a network that can't be described costs no time.
    count = multiply_adds(network)
    described = {
        "trainable_parameters": trainable_parameters(network),
        "multiply_adds": None if count is None else inputs.windows * count + inputs.multiply_adds,
        "input_shape": list(inputs.shape),
        "windows": inputs.windows,
        "architecture": architecture(network),
    }
    if settings.output_bias == "prior":
        set_output_bias(network, inputs.train.labels, model=model)
    if start:
        start.set_weights(network)
    if inputs.model and inputs.model.solve:
        _solve(network, inputs)
        fitted = Fitted({})
    else:
        fitted = _train_in_epochs(
            network,
            inputs,
            settings,
            name=model,
            seed=seed,
            devices=devices,
            checkpoints=checkpoints,
        )
        fitted.description["devices"] = devices.describe(threads)
    features = {f"{FEATURES}{name}": array for name, array in inputs.features.items()}
    return replace(
        fitted,
        arrays={**weights_of(network), **features},
        description={
            **fitted.description,
            **({"start_from": start.describe()} if start else {}),
            **described,
        },
        checkpoints=checkpoints,
    )


def _solve(network: "keras.Model", inputs: Inputs) -> None:
    """Set the weights of a network that is not trained in epochs."""
    pairs = [
        (subset.gather(subset.clip_ids).astype(np.float32), subset.labels)
        for subset in (inputs.train, inputs.validation)
    ]
    network.set_weights(inputs.model.solve(*pairs[0], *pairs[1]))


def _train_in_epochs(
    network: "keras.Model",
    inputs: Inputs,
    settings: TrainingSettings,
    *,
    name: str,
    seed: int,
    devices: "Devices",
    checkpoints: Checkpoints,
) -> Fitted:
    """Train a network, which is left with the weights of its best epoch."""
    from autotagging.training.loop import fit

    if inputs.model and inputs.model.start:
        inputs.model.start(
            network,
            inputs.train.gather(inputs.train.clip_ids),
            seed=seed,
            keep=partial(keep, checkpoints),
        )
    result = fit(
        network,
        inputs.train,
        inputs.validation,
        settings,
        name=name,
        seed=seed,
        devices=devices,
        checkpoints=checkpoints,
    )
    print(f"best epoch: {result.best_epoch}", file=sys.stderr)
    return Fitted(
        {},
        result.history,
        result.times,
        epochs=checkpoints.load_epochs(len(result.history)) if devices.writes else {},
        description={
            "batch_size": settings.batch_size,
            "learning_rate": settings.learning_rate,
            "schedule": settings.schedule,
            "monitor": settings.monitor,
            "output_bias": settings.output_bias,
            "precision": settings.precision,
            "best_epoch": result.best_epoch,
            "epochs": len(result.history),
        },
    )
