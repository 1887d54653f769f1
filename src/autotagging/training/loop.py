"""Fit a Keras model to spectrograms and labels (sec. III): Adam, binary cross-entropy, best epoch.

Imports TensorFlow; import it inside functions.
"""

import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

import numpy as np
import pandas as pd

from autotagging.common.errors import UserError
from autotagging.common.memory import keep_freed_memory
from autotagging.common.progress import duration, native_log_hidden, progress
from autotagging.dataset.prefetch import Waiting, prefetched
from autotagging.training.checkpoints import Checkpoints, Run
from autotagging.training.devices import ONE_DEVICE, Choice, Devices, choose, follow_gradient
from autotagging.training.epoch_metrics import (
    cross_entropy,
    has_both_classes,
    mean_roc_auc,
    smoothed_prior,
)

with native_log_hidden():
    import keras
    import tensorflow as tf

    from autotagging.training.fused import FusedNetwork, fuse

Gather = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Examples:
    """Clips to learn from or to check with.

    Attributes
    ----------
    clip_ids : (clips,)
    labels : float32, (clips, tags)
        0 and 1.
    gather
        Function from clip ids to their spectrograms, (clips, mel bins, frames); called in threads.
    """

    clip_ids: np.ndarray
    labels: np.ndarray
    gather: Gather

    def __len__(self) -> int:
        """Count the clips."""
        return len(self.clip_ids)


@dataclass(frozen=True)
class Fit:
    """What came of a training.

    Attributes
    ----------
    history
        One row an epoch: epoch (from 1), loss, val_loss, auc, val_auc.
    times
        One row an epoch: epoch, seconds, waiting (seconds spent waiting for data).
    best_epoch
        The epoch whose weights the model has.
    """

    history: pd.DataFrame
    times: pd.DataFrame
    best_epoch: int


def prepare(*, seed: int, threads: int, devices: Choice = "auto", xla: bool = False) -> Devices:
    """Set TensorFlow up before anything else uses it; return what it will compute on.

    The same seed gives the same weights on the same machine with the same number of threads.
    """
    keep_freed_memory(large=True)
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    chosen = choose(devices, threads=threads)
    tf.config.experimental.enable_op_determinism()
    if xla:
        tf.config.optimizer.set_jit("autoclustering")
    keras.utils.set_random_seed(seed)
    return chosen


def fit(
    model: keras.Model,
    train: Examples,
    validation: Examples,
    *,
    batch_size: int,
    epochs: int,
    learning_rate: float,
    schedule: str,
    monitor: str,
    patience: int | None,
    seed: int,
    devices: Devices,
    checkpoints: Checkpoints,
    checkpoint_minutes: float,
) -> Fit:
    """Train a model in place and leave it with the weights of its best epoch.

    Parameters
    ----------
    model
        Built, untrained, in the scope of the devices.
    train, validation
        Both with at least one clip.
    batch_size
        Clips a step.
    epochs
        At most so many.
    learning_rate
        Adam's, in the first step.
    schedule
        How it changes: see `learning_rates`.
    monitor
        The best epoch has the lowest "val_loss" or the highest "val_auc".
    patience
        Stop after so many epochs without a better one; None: run all.
    seed
        The order of clips is a function of seed and epoch.
    devices
        To train on. One process of several writes checkpoints; all go on from the same.
    checkpoints
        Where to go on from, and what is written at each epoch's end. The caller deletes them.
    checkpoint_minutes
        Within an epoch a checkpoint is written whenever so many minutes have passed.

    Raises
    ------
    UserError
        The loss is not finite, or no validation tag has an AUC to monitor.
    """
    if monitor == "val_auc" and not has_both_classes(validation.labels).any():
        raise UserError("no tag has both classes in the validation set, so there is no val_auc")
    steps_per_epoch = -(-len(train) // batch_size)
    rates = learning_rates(schedule, learning_rate, steps=epochs * steps_per_epoch)
    with devices.scope():
        optimizer = keras.optimizers.Adam(rates)
        if any(layer.compute_dtype == "float16" for layer in model.layers):
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
        optimizer.build(model.trainable_variables)
    train_step, score = make_train_step(model, optimizer, devices), make_scorer(model, devices)
    variables = [*model.variables, *optimizer.variables]
    rate = _clips_per_second(train_step, variables, train, batch_size, devices)
    print(
        f"{len(train)} clips, {model.count_params():,} parameters, {devices.label}: "
        f"{rate:.1f} clips/s, {epochs} epochs take about {duration(len(train) * epochs / rate)}",
        file=sys.stderr,
    )
    run = Run(variables, train.labels.shape, checkpoints, checkpoint_minutes, saves=devices.writes)
    if run.resume():
        print(f"going on in epoch {run.epoch}, after step {run.batches}", file=sys.stderr)
    devices.check_agreement([run.epoch, run.batches], "epoch and step to go on from")
    sign = 1 if monitor == "val_loss" else -1
    while run.epoch <= epochs and (patience is None or run.epochs_since_best <= patience):
        started, waiting = time.perf_counter(), Waiting()
        try:
            loss, auc = _train_epoch(
                run, train_step, train, batch_size, epochs, seed, devices, waiting
            )
            scores = score(
                validation.clip_ids, validation.gather, batch_size=batch_size, waiting=waiting
            )
            if not np.isfinite(scores).all():
                raise FloatingPointError("validation scores are not finite")
        except FloatingPointError as error:
            step = min(run.batches + 1, steps_per_epoch)
            rate = float(rates(max(int(optimizer.iterations) - 1, 0))) if callable(rates) else rates
            raise UserError(
                f"training diverged: {error} in epoch {run.epoch}, step {step}, at a learning rate "
                f"of {rate:g}; try train.learning_rate below {learning_rate:g}"
            ) from error
        row = {
            "epoch": run.epoch,
            "loss": loss,
            "val_loss": cross_entropy(validation.labels, scores),
            "auc": auc,
            "val_auc": mean_roc_auc(validation.labels, scores),
        }
        seconds = time.perf_counter() - started
        run.end_epoch(
            row,
            {"epoch": run.epoch, "seconds": seconds, "waiting": waiting.seconds},
            value=sign * row[monitor],
            weights=model.get_weights(),
        )
        print(_epoch_line(row, run.times, epochs, waiting), file=sys.stderr)
    if len(run.rows) < epochs:
        print(f"no better epoch in {patience}: stopped", file=sys.stderr)
    model.set_weights(run.best_weights)
    return Fit(pd.DataFrame(run.rows), pd.DataFrame(run.times), run.best_epoch)


def learning_rates(
    schedule: str, learning_rate: float, *, steps: int
) -> float | keras.optimizers.schedules.LearningRateSchedule:
    """Make the learning rate of each step, a function of the optimizer's count of steps alone.

    Parameters
    ----------
    schedule
        "constant": the same in all steps. "cosine": half a cosine wave, down to zero after the last
        one. "step": a tenth from half of the steps on, a hundredth from three quarters.
    learning_rate
        Of the first step.
    steps
        Of the whole training.
    """
    if schedule == "cosine":
        return keras.optimizers.schedules.CosineDecay(learning_rate, steps)
    if schedule == "step":
        return keras.optimizers.schedules.PiecewiseConstantDecay(
            [-(-steps // 2) - 1, -(-steps * 3 // 4) - 1],  # the last before each fall, from 0
            [learning_rate, learning_rate / 10, learning_rate / 100],
        )
    return learning_rate


def set_output_bias(model: keras.Model, labels: np.ndarray) -> None:
    """Start the output layer's bias at the log-odds of each tag, as counted in training labels.

    From zero, a model spends its first hundreds of steps on learning how rare tags are. Counts are
    smoothed by half a clip, so that a tag without positives has a bias too.

    Parameters
    ----------
    model
        Its last layer is dense, with a sigmoid.
    labels : (clips, tags)
        0 and 1.
    """
    prior = smoothed_prior(labels)
    model.layers[-1].bias.assign(np.log(prior / (1 - prior)))


def make_scorer(model: keras.Model, devices: Devices = ONE_DEVICE) -> Callable[..., np.ndarray]:
    """Make a function (clip_ids, gather, *, batch_size) -> scores, float32, (clips, tags).

    It takes a `waiting`, too, that counts the time spent on waiting for spectrograms.
    """
    fused = None if devices.strategy else _fused(model)

    @tf.function(autograph=False)
    def score_step(mel):
        mel = tf.cast(mel, tf.float32)
        return fused.score(mel) if fused else model(mel, training=False)

    spread_step = devices.make_score_step(model) if devices.strategy else None

    def score(
        clip_ids: np.ndarray, gather: Gather, *, batch_size: int, waiting: Waiting | None = None
    ) -> np.ndarray:
        batches = [clip_ids[i : i + batch_size] for i in range(0, len(clip_ids), batch_size)]
        own = [devices.rows(batch) for batch in batches]
        with closing(prefetched(gather, own, waiting or Waiting())) as ahead:
            pairs = zip(batches, ahead, strict=True)
            steps = progress(pairs, total=len(batches), label="scored batch")
            if spread_step:
                scores = [spread_step(mel, len(batch)).numpy() for batch, mel in steps]
            else:  # all batches of one size, so that one is compiled
                size = len(batches[0])
                scores = [score_step(_filled(mel, size)).numpy()[: len(mel)] for _, mel in steps]
        return np.concatenate(scores)

    return score


def make_train_step(
    model: keras.Model, optimizer: keras.optimizers.Optimizer, devices: Devices = ONE_DEVICE
) -> Callable:
    """Make a function (mel, labels) -> (loss, scores) that takes a step of the optimizer."""
    if devices.strategy:
        return devices.make_train_step(model, optimizer)
    fused = _fused(model)
    if not (fused or _on_gpu()):
        print("layers that can't be fused: slower than it could be on a CPU", file=sys.stderr)
    binary_cross_entropy = keras.losses.BinaryCrossentropy()

    @tf.function(autograph=False)
    def train_step(mel, labels):
        mel = tf.cast(mel, tf.float32)
        with tf.GradientTape() as tape:
            scores = fused.train(mel) if fused else model(mel, training=True)
            loss = binary_cross_entropy(labels, scores)
            scaled = optimizer.scale_loss(loss)
        follow_gradient(tape, scaled, model, optimizer)
        return loss, scores

    return train_step


def _filled(mel: np.ndarray, size: int) -> np.ndarray:
    """Append silent clips up to a size."""
    return np.pad(mel, [(0, size - len(mel)), (0, 0), (0, 0)])


def _fused(model: keras.Model) -> FusedNetwork | None:
    """Fuse a model's layers for a CPU; a GPU's libraries have their own ways."""
    return None if _on_gpu() else fuse(model)


def _on_gpu() -> bool:
    return bool(tf.config.get_visible_devices("GPU"))


def _train_epoch(
    run: Run,
    train_step: Callable,
    train: Examples,
    batch_size: int,
    epochs: int,
    seed: int,
    devices: Devices,
    waiting: Waiting,
) -> tuple[float, float | None]:
    """Run one epoch; return mean loss and macro ROC-AUC of the steps' scores."""
    order = np.random.default_rng([seed, run.epoch]).permutation(len(train))
    batches = [order[i : i + batch_size] for i in range(0, len(order), batch_size)][run.batches :]
    clips = [train.clip_ids[devices.rows(batch)] for batch in batches]
    with closing(prefetched(train.gather, clips, waiting)) as ahead:
        steps = progress(
            zip(batches, ahead, strict=True),
            total=len(batches),
            label=f"epoch {run.epoch}/{epochs}, step",
            note=lambda: f"loss {float(loss):.3f}  {waiting}",
        )
        for batch, mel in steps:
            loss, scores = train_step(mel, train.labels[batch])
            if not np.isfinite(loss):
                raise FloatingPointError(f"loss is {float(loss)}")
            run.end_batch(batch, float(loss), scores.numpy())
    return run.loss_sum / len(train), mean_roc_auc(train.labels, run.scores)


def _clips_per_second(
    train_step: Callable, variables: list, train: Examples, batch_size: int, devices: Devices
) -> float:
    """Time a step, then put every variable back, so that the timing changes no result."""
    before = [variable.numpy() for variable in variables]
    clip_ids, labels = train.clip_ids[:batch_size], train.labels[:batch_size]
    mel = train.gather(devices.rows(clip_ids))
    train_step(mel, labels)  # traces and compiles
    started = time.perf_counter()
    train_step(mel, labels)[0].numpy()
    seconds = time.perf_counter() - started
    for variable, value in zip(variables, before, strict=True):
        variable.assign(value)
    return len(labels) / seconds


def _epoch_line(row: dict, times: list[dict], epochs: int, waiting: Waiting) -> str:
    mean_seconds = np.mean([entry["seconds"] for entry in times])
    values = "  ".join(
        f"{name} {'-' if row[name] is None else format(row[name], '.3f')}"
        for name in ("loss", "val_loss", "auc", "val_auc")
    )
    return (
        f"epoch {row['epoch']}/{epochs}  {values}  {times[-1]['seconds']:.1f} s  "
        f"{waiting}  to go {duration(mean_seconds * (epochs - row['epoch']))}"
    )
