"""Trainings on the GPU, or with "cpu" on the CPU, whose results the tests of this folder compare.

Usage: python gpu_training.py FOLDER RUN [cpu]. FOLDER/RUN.npz takes what came of it.
"""

import sys
from pathlib import Path
from unittest import mock

import numpy as np

from autotagging import models
from autotagging.common.files import save_arrays
from autotagging.models.stored import save_model, weights_of
from autotagging.training import loop, step
from autotagging.training.checkpoints import Checkpoints
from autotagging.training.devices import prepare
from autotagging.training.optimizer import make_optimizer
from autotagging.training.precision import choose_precision
from autotagging.training.settings import TrainingSettings

FRAMES, TAGS, TRAINING, CLIPS = 286, 3, 32, 48
OPTIONS = {
    "padded_frames": 288,
    "padding_side": "both",
    "padding_value": 0.0,
    "input_norm": "frequency",
    "batch_norm_momentum": 0.9,
    "pool_dropout": 0.1,
    "output_dropout": 0.3,
    "gru_reset_after": True,
    "gru_gates": "sigmoid",
}
FRONT_END = {"sample_rate": 12_000, "n_fft": 512, "hop_length": 256, "n_mels": 96}
FRONT_END |= {"seconds": 6.1, "frames": FRAMES, "log_scale": "power_db"}
EPOCHS, STOP_AFTER = 4, 6  # of four steps an epoch


class Stopped(Exception):
    pass


def clips() -> tuple[np.ndarray, np.ndarray]:
    """Clips of noise; the first tag is there in loud ones, the others by chance."""
    rng = np.random.default_rng(0)
    mel = rng.normal(-30, 15, (CLIPS, 96, FRAMES))
    labels = rng.integers(0, 2, (CLIPS, TAGS))
    mel += 12 * labels[:, :1, None]
    return mel.astype(np.float16), labels.astype(np.float32)


def build(precision: str, **changes):
    options = OPTIONS | changes
    return models.build(
        "crnn", input_shape=(96, FRAMES), n_tags=TAGS, precision=precision, **options
    )


def take_step(out: Path, devices) -> None:
    """Keep the loss of a step without dropout, and Adam's moments after it."""
    network = build("float32", pool_dropout=0.0, output_dropout=0.0)
    rng = np.random.default_rng(1)
    for variable in network.trainable_variables:  # the same on every device, to the last bit
        around = 1.0 if variable.name == "gamma" else 0.0
        variable.assign(rng.normal(around, 0.1, variable.shape))
    optimizer = make_optimizer(network, 0.001)
    mel, labels = clips()
    loss, _ = step.make_train_step(network, optimizer, devices)(mel[:8], labels[:8])
    moments = {v.path.replace("/", " "): v.numpy() for v in optimizer.variables}
    save_arrays(out, {"loss": np.array(float(loss)), **moments})


def stopping(after: int):
    """Have training raise Stopped before a step."""
    make = loop.make_train_step

    def make_stopping(*arguments):
        train_step, left = make(*arguments), [after]

        def stops(mel, labels):
            if not left[0]:
                raise Stopped
            left[0] -= 1
            return train_step(mel, labels)

        return stops

    return mock.patch.object(loop, "make_train_step", make_stopping)


def train(run: str, precision: str, devices, folder: Path) -> None:
    """Train; keep weights, history, and the scores of the validation clips."""
    mel, labels = clips()
    subsets = (np.arange(TRAINING), np.arange(TRAINING, CLIPS))
    examples = [loop.Examples(ids, labels[ids], lambda ids: mel[ids]) for ids in subsets]
    network = build(precision)
    saved = folder / ("stopped" if run in ("stop", "resume") else f"{run} checkpoints")
    result = loop.fit(
        network,
        *examples,
        TrainingSettings(
            batch_size=8,
            epochs=EPOCHS,
            learning_rate=0.002,
            schedule="constant",
            output_bias="zero",
            monitor="val_loss",
            patience=None,
            keep_epochs="last",
            precision=precision,
        ),
        name="test",
        seed=0,
        devices=devices,
        checkpoints=Checkpoints(
            saved,
            fingerprint="a",
            devices="CPU",
            keep_epochs="last",
            minutes=0 if run == "stop" else 10,
        ),
    )
    score = step.make_scorer(network)
    scores = score(subsets[1], lambda ids: mel[ids], batch_size=8)
    arrays = weights_of(network)
    results = {"history": result.history.to_numpy(float), "mel": mel[subsets[1]], "scores": scores}
    save_arrays(folder / f"{run}.npz", {**results, **{f"weight {n}": a for n, a in arrays.items()}})
    described = {"model": "crnn", "seed": 0, "corpus": "demo", "split": "random 2/1/1"}
    described |= {"options": OPTIONS, "tags": ["a", "b", "c"], "input_shape": [96, FRAMES]}
    described |= {"front_end": FRONT_END, "trained_on": {}, "versions": {}}
    save_model(folder / run / "model.json", folder / run / "weights.npz", described, arrays)


def main(folder: Path, run: str, *where: str) -> None:
    tf = step.tf
    if where:
        tf.config.set_visible_devices([], "GPU")
    tf.config.experimental.enable_tensor_float_32_execution(run.startswith("mixed"))
    devices = prepare(seed=0, threads=2, xla=True)
    precision = choose_precision(run if run.startswith("mixed") else "float32")
    if run.startswith("step"):
        take_step(folder / f"{run}.npz", devices)
    elif run == "stop":
        try:
            with stopping(STOP_AFTER):
                train(run, precision, devices, folder)
        except Stopped:
            save_arrays(folder / "stop.npz", {})
    else:
        train(run, precision, devices, folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
