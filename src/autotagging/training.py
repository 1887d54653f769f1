"""Fit a Keras model to spectrograms and labels (sec. III): Adam, binary cross-entropy, best epoch.

Imports TensorFlow; import it inside functions.
"""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pandas as pd

from autotagging.checkpoints import Checkpoints, Run
from autotagging.devices import ONE_DEVICE, Choice, Devices, choose
from autotagging.epoch_metrics import cross_entropy, has_both_classes, mean_roc_auc, smoothed_prior
from autotagging.errors import UserError
from autotagging.memory import keep_freed_memory
from autotagging.progress import duration, native_log_hidden, progress

with native_log_hidden():
    import keras
    import tensorflow as tf

    from autotagging.models.fused import FusedNetwork, fuse

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
        Function from clip ids to their spectrograms, (clips, mel bins, frames).
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
    tf.config.optimizer.set_jit("autoclustering" if xla else False)
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
        Adam's.
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
    with devices.scope():
        optimizer = keras.optimizers.Adam(learning_rate)
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
        started = time.perf_counter()
        try:
            loss, auc, waiting = _train_epoch(
                run, train_step, train, batch_size, epochs, seed, devices
            )
            scores = score(validation.clip_ids, validation.gather, batch_size=batch_size)
            if not np.isfinite(scores).all():
                raise FloatingPointError(f"validation scores are not finite in epoch {run.epoch}")
        except FloatingPointError as error:
            raise UserError(
                f"training diverged: {error}; try a learning rate below {learning_rate:g}"
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
            {"epoch": run.epoch, "seconds": seconds, "waiting": waiting},
            value=sign * row[monitor],
            weights=model.get_weights(),
        )
        print(_epoch_line(row, run.times, epochs), file=sys.stderr)
    if len(run.rows) < epochs:
        print(f"no better epoch in {patience}: stopped", file=sys.stderr)
    model.set_weights(run.best_weights)
    return Fit(pd.DataFrame(run.rows), pd.DataFrame(run.times), run.best_epoch)


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
    """Make a function (clip_ids, gather, *, batch_size) -> scores, float32, (clips, tags)."""
    fused = _fused(model)

    @tf.function(autograph=False)
    def score_step(mel):
        mel = tf.cast(mel, tf.float32)
        return fused.score(mel) if fused else model(mel, training=False)

    spread_step = devices.make_score_step(model) if devices.strategy else None

    def score(clip_ids: np.ndarray, gather: Gather, *, batch_size: int) -> np.ndarray:
        batches = [clip_ids[i : i + batch_size] for i in range(0, len(clip_ids), batch_size)]
        ahead = _prefetched(lambda batch: gather(devices.rows(batch)), batches)
        steps = progress(zip(batches, ahead, strict=True), total=len(batches), label="scored batch")
        if spread_step:
            scores = [spread_step(mel, len(batch)).numpy() for batch, (mel, _) in steps]
        else:  # all batches of one size, so that one is compiled
            size = len(batches[0])
            scores = [score_step(_filled(mel, size)).numpy()[: len(mel)] for _, (mel, _) in steps]
        return np.concatenate(scores)

    return score


def make_train_step(
    model: keras.Model, optimizer: keras.optimizers.Optimizer, devices: Devices = ONE_DEVICE
) -> Callable:
    """Make a function (mel, labels) -> (loss, scores) that takes a step of the optimizer."""
    if devices.strategy:
        return devices.make_train_step(model, optimizer)
    fused = _fused(model)
    binary_cross_entropy = keras.losses.BinaryCrossentropy()

    @tf.function(autograph=False)
    def train_step(mel, labels):
        mel = tf.cast(mel, tf.float32)
        with tf.GradientTape() as tape:
            scores = fused.train(mel) if fused else model(mel, training=True)
            loss = binary_cross_entropy(labels, scores)
            scaled = optimizer.scale_loss(loss)
        variables = [variable.value for variable in model.trainable_variables]
        gradients = tape.gradient(
            scaled, variables, unconnected_gradients=tf.UnconnectedGradients.ZERO
        )
        optimizer.apply(gradients, model.trainable_variables)
        return loss, scores

    return train_step


def _filled(mel: np.ndarray, size: int) -> np.ndarray:
    """Append silent clips up to a size."""
    return np.pad(mel, [(0, size - len(mel)), (0, 0), (0, 0)])


def _fused(model: keras.Model) -> FusedNetwork | None:
    """Fuse a model's layers for a CPU; a GPU's libraries have their own ways."""
    return None if tf.config.get_visible_devices("GPU") else fuse(model)


def _train_epoch(
    run: Run,
    train_step: Callable,
    train: Examples,
    batch_size: int,
    epochs: int,
    seed: int,
    devices: Devices,
) -> tuple[float, float | None, float]:
    """Run one epoch; return mean loss, macro ROC-AUC of the steps' scores, seconds of waiting."""
    order = np.random.default_rng([seed, run.epoch]).permutation(len(train))
    batches = [order[i : i + batch_size] for i in range(0, len(order), batch_size)][run.batches :]
    waiting = 0.0
    ahead = _prefetched(lambda batch: train.gather(train.clip_ids[devices.rows(batch)]), batches)
    steps = progress(
        zip(batches, ahead, strict=True),
        total=len(batches),
        label=f"epoch {run.epoch}/{epochs}, step",
        note=lambda: f"loss {float(loss):.3f}",
    )
    for batch, (mel, waited) in steps:
        loss, scores = train_step(mel, train.labels[batch])
        if not np.isfinite(loss):
            raise FloatingPointError(
                f"loss is {float(loss)} in epoch {run.epoch}, step {run.batches + 1}"
            )
        run.end_batch(batch, float(loss), scores.numpy())
        waiting += waited
    return run.loss_sum / len(train), mean_roc_auc(train.labels, run.scores), waiting


def _prefetched(gather: Gather, batches: Sequence) -> Iterator[tuple[np.ndarray, float]]:
    """Yield each batch's spectrograms and the seconds waited for them, reading one batch ahead."""
    if not batches:
        return
    with ThreadPoolExecutor(max_workers=1) as reader:
        ahead = reader.submit(gather, batches[0])
        for batch in [*batches[1:], None]:
            started = time.perf_counter()
            mel = ahead.result()
            waited = time.perf_counter() - started
            if batch is not None:
                ahead = reader.submit(gather, batch)
            yield mel, waited


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


def _epoch_line(row: dict, times: list[dict], epochs: int) -> str:
    mean_seconds = np.mean([entry["seconds"] for entry in times])
    values = "  ".join(
        f"{name} {'-' if row[name] is None else format(row[name], '.3f')}"
        for name in ("loss", "val_loss", "auc", "val_auc")
    )
    return (
        f"epoch {row['epoch']}/{epochs}  {values}  {times[-1]['seconds']:.1f} s  "
        f"to go {duration(mean_seconds * (epochs - row['epoch']))}"
    )
