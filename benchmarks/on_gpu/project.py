"""The project's own network, step, scorer and training: the only place that imports the package."""

import hashlib
import shutil
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from unittest import mock

import numpy as np
import yaml

from autotagging import models
from autotagging.common.locks import locked
from autotagging.common.params import options_of
from autotagging.dataset.store import MelStore
from autotagging.training import devices as machine
from autotagging.training import loop, step
from autotagging.training.checkpoints import Checkpoints
from autotagging.training.devices import ONE_DEVICE, Devices
from autotagging.training.optimizer import make_optimizer
from autotagging.training.settings import TrainingSettings
from on_gpu import data, shards
from on_gpu.sizes import MEL_BINS, TAGS, Size

tf, keras = step.tf, step.keras

_PARAMS = Path(__file__).parents[2] / "params.yaml"
_CACHE = 1.0  # GB; the made-up clips take half of it


class Stopped(Exception):
    """The training was stopped on purpose."""


def policy(precision: str) -> str:
    """Give Keras' dtype policy; "tf32" is float32 whose products may be rounded."""
    return "float32" if precision == "tf32" else precision


def prepare(
    precision: str, *, threads: int, deterministic: bool = True, xla: bool = True
) -> Devices:
    """Set TensorFlow up as the step `train` does, with TF32 on or off."""
    experimental = tf.config.experimental
    experimental.enable_tensor_float_32_execution(precision != "float32")
    patch = mock.patch.object(experimental, "enable_op_determinism")
    with nullcontext() if deterministic else patch:
        return machine.prepare(seed=0, threads=threads, xla=xla)


def build(size: Size, precision: str, **changes: Any) -> Any:
    """Build the CRNN with the options of params.yaml, and some changed."""
    options = options_of(yaml.safe_load(_PARAMS.read_text(encoding="utf-8"))["train"]["crnn"])
    options |= {"padded_frames": size.padded, **changes}
    shape = (MEL_BINS, size.frames)
    return models.build(
        "crnn", input_shape=shape, n_tags=TAGS, precision=policy(precision), **options
    )


def make_step(
    size: Size, precision: str, *, devices: Devices = ONE_DEVICE, path: str = "project"
) -> Callable:
    """Make a function (mel, labels) -> (loss, scores) that takes a step of Adam.

    Parameters
    ----------
    size
        Of the spectrograms.
    precision
        Of the convolutions.
    devices
        From `prepare`.
    path
        "project": the step of the project as it is. "layers": the network's layers, one after
        another.
    """
    network = build(size, precision)
    return step_of(network, make_optimizer(network, 0.001), devices=devices, path=path)


def step_of(network: Any, optimizer: Any, *, devices: Devices, path: str) -> Callable:
    """Make the project's step; arguments as in `make_step`."""
    layers = mock.patch.object(step, "fuse", return_value=None)
    with layers if path == "layers" else nullcontext():
        return step.make_train_step(network, optimizer, devices)


def make_scorer(size: Size, precision: str) -> Callable:
    """Make the project's function that scores clips."""
    return step.make_scorer(build(size, precision))


@dataclass
class Training:
    """One training by the project's own loop, fed by its own input pipeline.

    Attributes
    ----------
    losses
        Of each step, in order.
    digest
        SHA-256 of all weights and states of the optimizer after the last step.
    history, times
        A dictionary for each epoch.
    """

    losses: list[float] = field(default_factory=list)
    digest: str = ""
    history: list[dict] = field(default_factory=list)
    times: list[dict] = field(default_factory=list)


def train(
    size: Size,
    precision: str,
    *,
    devices: Devices,
    folder: Path,
    epochs: int,
    clips: int | None = None,
    checkpoint_minutes: float = 10.0,
    checkpoints: Path | None = None,
    stop_after: int | None = None,
) -> Training:
    """Train the CRNN on the made-up clips.

    Parameters
    ----------
    size
        Of the data set and the batch.
    precision
        Of the convolutions.
    devices
        From `prepare`.
    folder
        Of the shards; they are written if they are not there.
    epochs
        How many.
    clips
        Clips an epoch, repeated as needed; None: each training clip once.
    checkpoint_minutes, checkpoints
        How often a checkpoint is written within an epoch, and where; None: in a new folder.
    stop_after
        Raise Stopped before this step, counted from 0.
    """
    with locked(folder / "clips.lock", "writing of clips", wait=True):
        summary = shards.write_shards(folder / "clips", size)
    store = MelStore(summary, cache=_CACHE)
    _, labels = data.make_levels(size.clips + size.validation)
    chosen = np.resize(np.arange(size.clips), clips or size.clips)
    held_out = np.arange(size.clips, size.clips + size.validation)
    network = build(size, precision)
    step.set_output_bias(network, labels[: size.clips], model="crnn")
    result, kept = Training(), []
    kept_in = checkpoints or Path(mkdtemp(dir=folder))
    saved = Checkpoints(
        kept_in,
        fingerprint="gpu",
        devices="GPU",
        keep_epochs="last",
        minutes=checkpoint_minutes,
    )
    recording = mock.patch.object(
        loop, "make_train_step", _recorded(result.losses, stop_after, kept)
    )
    with recording:
        fitted = loop.fit(
            network,
            loop.Examples(chosen, labels[chosen], store.gather),
            loop.Examples(held_out, labels[held_out], store.gather),
            TrainingSettings(
                batch_size=size.batch,
                epochs=epochs,
                learning_rate=0.001,
                schedule="constant",
                output_bias="prior",
                monitor="val_loss",
                patience=None,
                keep_epochs="last",
                precision=policy(precision),
            ),
            name="benchmark",
            seed=0,
            devices=devices,
            checkpoints=saved,
        )
    shutil.rmtree(kept_in)
    # `fit` has put the best epoch's weights back; the optimizer has the last step's.
    arrays = [*network.get_weights(), *(variable.numpy() for variable in kept[0].variables)]
    result.digest = hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()
    result.history = fitted.history.to_dict("records")
    result.times = fitted.times.to_dict("records")
    return result


def _recorded(losses: list[float], stop_after: int | None, kept: list) -> Callable:
    """Wrap `make_train_step`: note the loss of each step, and the optimizer."""
    make = loop.make_train_step

    def make_recorded(model: Any, optimizer: Any, devices: Devices) -> Callable:
        train_step, calls = make(model, optimizer, devices), 0
        kept.append(optimizer)

        def recorded(mel: np.ndarray, labels: np.ndarray) -> tuple:
            nonlocal calls
            if calls == stop_after:
                raise Stopped
            loss, scores = train_step(mel, labels)
            calls += 1
            losses.append(float(loss))
            return loss, scores

        return recorded

    return make_recorded
