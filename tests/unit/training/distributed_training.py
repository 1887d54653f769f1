"""Train on several devices, in a process of its own: devices are set before TensorFlow starts.

Run by test_distributed_training.py: distributed_training.py FOLDER "one machine" | "worker"
"""

import dataclasses
import sys
from contextlib import suppress
from pathlib import Path
from unittest import mock

import numpy as np
import yaml

from autotagging import models
from autotagging.common.errors import UserError
from autotagging.common.files import save_arrays
from autotagging.common.params import options_of
from autotagging.models.layers import DropoutPerReplica
from autotagging.models.stored import weights_of
from autotagging.training import loop
from autotagging.training.checkpoints import Checkpoints
from autotagging.training.devices import ONE_DEVICE, Devices, prepare, tf
from autotagging.training.loop import Examples
from autotagging.training.optimizer import make_optimizer
from autotagging.training.run import Run
from autotagging.training.settings import TrainingSettings
from autotagging.training.step import make_train_step

keras = loop.keras
PARAMS = Path(__file__).parents[3] / "params.yaml"
N_TAGS, N_VALIDATION = 3, 8
SETTINGS = TrainingSettings(
    batch_size=8,
    epochs=3,
    learning_rate=0.001,
    schedule="constant",
    output_bias="zero",
    monitor="val_loss",
    patience=None,
    keep_epochs="last",
    precision="float32",
)


class Stopped(Exception):
    pass


class Counted(Checkpoints):
    """Checkpoints that count how often they are written."""

    saved = 0

    def save(self, arrays):
        self.saved += 1
        super().save(arrays)


def stopping(after):
    """Raise in every process after a number of batches."""
    end_batch, calls = Run.end_batch, iter(range(after - 1))

    def end_batch_and_stop(run, *arguments):
        end_batch(run, *arguments)
        if next(calls, None) is None:
            raise Stopped

    return mock.patch.object(Run, "end_batch", end_batch_and_stop)


def small_network(devices, shape, *, dropout=0.0):
    """A layer of each kind that differs on several devices."""
    distributed = devices.replicas > 1
    return keras.Sequential(
        [
            keras.Input(shape),
            keras.layers.BatchNormalization(
                axis=1, momentum=0.5, synchronized=distributed, name="norm"
            ),
            keras.layers.Flatten(),
            (DropoutPerReplica if distributed else keras.layers.Dropout)(dropout),
            keras.layers.Dense(N_TAGS, activation="sigmoid", name="tags"),
        ]
    )


def crnn(devices, shape, *, dropout=0.0):
    options = options_of(yaml.safe_load(PARAMS.read_text())["train"]["crnn"])
    options |= {"padded_frames": 96, "pool_dropout": dropout, "output_dropout": dropout}
    return models.build("crnn", input_shape=shape, n_tags=N_TAGS, **options)


def examples(clips, shape):
    """Training and validation clips; the first tag is audible in the first half."""
    rng = np.random.default_rng(0)
    labels = (rng.random((clips + N_VALIDATION, N_TAGS)) < 0.4).astype(np.float32)
    mel = rng.normal(-30, 10, (len(labels), *shape)).astype(np.float16)
    mel[:, : shape[0] // 2] += 10 * labels[:, :1, None].astype(np.float16)

    def make(ids):
        return Examples(clip_ids=ids, labels=labels[ids], gather=lambda ids: mel[ids])

    return make(np.arange(clips)), make(np.arange(clips, len(labels)))


def fit(devices, build, folder, *, clips, shape, rate, **options):
    """Train for three epochs in batches of 8; give history, weights and times of saving."""
    keras.utils.set_random_seed(0)
    train, validation = examples(clips, shape)
    with devices.scope():
        network = build(devices, shape, **options)
    checkpoints = Counted(folder, fingerprint="a", devices="CPU", keep_epochs="last", minutes=0)
    fitted = loop.fit(
        network,
        train,
        validation,
        dataclasses.replace(SETTINGS, learning_rate=rate),
        name="test",
        seed=0,
        devices=devices,
        checkpoints=checkpoints,
    )
    return {
        "history": fitted.history.to_numpy(float),
        "saved": np.array(checkpoints.saved),
        **{f"weight {name}": array for name, array in weights_of(network).items()},
    }


def one_step(devices):
    """Take a step on five clips; return its results, including the mean of the gradients."""
    keras.utils.set_random_seed(0)
    train, _ = examples(5, (6, 4))
    with devices.scope():
        network = small_network(devices, (6, 4))
        optimizer = keras.optimizers.Adam(0.01)
        optimizer.build(network.trainable_variables)
    step = make_train_step(network, optimizer, devices)
    loss, scores = step(train.gather(devices.rows(train.clip_ids)), train.labels)
    left = {f"{variable.path}": variable.numpy() for variable in optimizer.variables}
    return {"loss": loss.numpy(), "scores": scores.numpy(), **left}


def overflow(devices):
    """Take a step in which the gradients of one device overflow float16, for each device."""
    keras.utils.set_random_seed(0)
    train, _ = examples(8, (6, 4))
    with devices.scope():
        network = keras.Sequential(
            [
                keras.Input((6, 4)),
                keras.layers.Flatten(),
                keras.layers.Dense(8, dtype="mixed_float16"),
                keras.layers.Dense(N_TAGS, activation="sigmoid", dtype="float32"),
            ]
        )
        optimizer = make_optimizer(network, 0.01)
    step = make_train_step(network, optimizer, devices)
    mel = train.gather(train.clip_ids).astype(np.float32) / 30
    scales, finite = [], []
    for device in range(2):
        optimizer.dynamic_scale.assign(2.0**17)
        large = mel.copy()
        large[4 * device : 4 * device + 4] *= 20
        step(large, train.labels)
        scales.append(optimizer.dynamic_scale.numpy())
        finite.append(all(np.isfinite(v.numpy()).all() for v in network.variables))
    return {"scales": np.array(scales), "finite": np.array(finite)}


def divergence(devices, folder):
    """Train on a clip that is not a number, with a schedule of the learning rate."""
    cosine = dataclasses.replace(SETTINGS, schedule="cosine")
    with mock.patch.object(sys.modules[__name__], "SETTINGS", cosine):
        try:
            fit(devices, folder=folder, **{**UNEVEN, "rate": np.nan})
        except UserError as error:
            return {"message": np.array(str(error))}


def masks(devices):
    """What each device drops out in two steps."""
    with devices.scope():
        dropout = DropoutPerReplica(0.5, seed=0)

    def replica_step():
        return dropout(tf.ones(64), training=True)

    @tf.function
    def step():
        return devices.strategy.run(replica_step)

    return {
        f"{number} {device}": mask.numpy()
        for number in range(2)
        for device, mask in enumerate(devices.strategy.experimental_local_results(step()))
    }


UNEVEN = {"build": small_network, "clips": 17, "shape": (6, 4), "rate": 0.01}
DROPOUT = {**UNEVEN, "clips": 16, "dropout": 0.2}


def stopped_and_resumed(devices, folder):
    """Stop a training in its second epoch, and go on."""
    with suppress(Stopped), stopping(after=3):
        fit(devices, folder=folder, **DROPOUT)
        raise AssertionError("not stopped")
    return fit(devices, folder=folder, **DROPOUT)


def on_one_machine(folder):
    (cpu,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    prepared = prepare(seed=0, threads=1, xla=True)
    assert (prepared.replicas, prepared.xla) == (1, True)
    two = Devices("two", tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]))
    yield "masks", masks(two)
    yield "overflow", overflow(two)
    yield "divergence", divergence(two, folder / "divergence")
    for name, devices in (("one", ONE_DEVICE), ("two", two)):
        yield f"{name} step", one_step(devices)
        yield f"{name} uneven", fit(devices, folder=folder / f"{name} uneven", **UNEVEN)
        large = {"build": crnn, "clips": 24, "shape": (96, 90), "rate": 1e-4}
        yield f"{name} crnn", fit(devices, folder=folder / f"{name} crnn", **large)
    yield "two whole", fit(two, folder=folder / "two whole", **DROPOUT)
    yield "two resumed", stopped_and_resumed(two, folder / "two resumed")


def on_a_worker(folder):
    devices = prepare(seed=0, threads=1, devices="multi_worker")
    worker = f"worker {devices.worker}"
    with devices.one_voice():
        yield f"{worker} uneven", fit(devices, folder=folder / "uneven", **UNEVEN)
        yield f"{worker} whole", fit(devices, folder=folder / "whole", **DROPOUT)
        yield f"{worker} resumed", stopped_and_resumed(devices, folder / "resumed")
    try:
        devices.check_agreement([devices.worker], "numbers")
    except UserError as error:
        yield f"{worker} error", {"message": np.array(str(error))}


if __name__ == "__main__":
    out, where = Path(sys.argv[1]), sys.argv[2]
    for name, arrays in (on_one_machine if where == "one machine" else on_a_worker)(out):
        save_arrays(out / f"{name}.npz", {key.replace("/", "."): a for key, a in arrays.items()})
