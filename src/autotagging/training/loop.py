"""Fit a network to spectrograms and labels (sec. III): epochs, checkpoints, the best epoch.

Imports TensorFlow; import it inside functions.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

import numpy as np
import pandas as pd

from autotagging import models
from autotagging.common.counting import counted
from autotagging.common.errors import UserError
from autotagging.common.progress import duration, native_log_hidden, print_line, progress
from autotagging.dataset.prefetch import Waiting, prefetched
from autotagging.dataset.windows import Windows
from autotagging.training.checkpoints import Checkpoints
from autotagging.training.devices import Devices, Gather
from autotagging.training.epoch_metrics import cross_entropy, has_both_classes, mean_roc_auc
from autotagging.training.optimizer import learning_rates, make_optimizer, rate_in_effect
from autotagging.training.run import Run
from autotagging.training.settings import TrainingSettings
from autotagging.training.step import make_scorer, make_train_step

with native_log_hidden():
    import keras


@dataclass(frozen=True)
class Examples:
    """Clips for training or for validation.

    Attributes
    ----------
    clip_ids : (clips,)
    labels : float32, (clips, tags)
        0 and 1.
    gather
        Function from clip ids to the inputs of the network, (clips, mel bins, frames), or those of
        several windows, (clips, windows, ...); called in threads.
    windows
        Cuts random windows of the spectrograms that `gather` gives; None: nothing is cut.
    """

    clip_ids: np.ndarray
    labels: np.ndarray
    gather: Gather
    windows: Windows | None = None

    def gather_in(self, *, seed: int, epoch: int) -> Gather:
        """Give the function from clip ids to the inputs of an epoch."""
        if self.windows is None:
            return self.gather
        return lambda clip_ids: self.windows.random(
            self.gather(clip_ids), clip_ids, seed=seed, epoch=epoch
        )

    def __len__(self) -> int:
        """Count the clips."""
        return len(self.clip_ids)


@dataclass(frozen=True)
class Fit:
    """Result of a training.

    Attributes
    ----------
    history
        One row per epoch: epoch (from 1), loss, val_loss, auc, val_auc.
    times
        One row per epoch: epoch, seconds, waiting (seconds spent waiting for data); of an epoch
        that was resumed, those since then.
    best_epoch
        Epoch whose weights the model has.
    """

    history: pd.DataFrame
    times: pd.DataFrame
    best_epoch: int


def fit(
    model: keras.Model,
    train: Examples,
    validation: Examples,
    settings: TrainingSettings,
    *,
    name: str,
    seed: int,
    devices: Devices,
    checkpoints: Checkpoints,
) -> Fit:
    """Train a model in place and leave it with the weights of its best epoch.

    Parameters
    ----------
    model
        Untrained model, built in the scope of the devices.
    train, validation
        Training and validation clips, at least one each.
    settings
        Settings of the training.
    name
        Name of the model, for messages.
    seed
        Seed of the order of clips, which depends on seed and epoch only.
    devices
        Devices to train on. Of several processes, only the first writes checkpoints; all resume
        from them.
    checkpoints
        Checkpoints to resume from, and to write at the end of each epoch.

    Raises
    ------
    UserError
        The loss or a weight is not finite, scores are not from 0 to 1, or no validation tag has an
        AUC to monitor.
    """
    if settings.monitor == "val_auc" and not has_both_classes(validation.labels).any():
        raise UserError(
            "val_auc is undefined: no tag has both classes in the validation set; set "
            "train.monitor to val_loss, or a larger split.validation"
        )
    steps = -(-len(train) // settings.batch_size)
    rates = learning_rates(settings.schedule, settings.learning_rate, steps=settings.epochs * steps)
    with devices.scope():
        optimizer = make_optimizer(model, rates)
    train_step, score = make_train_step(model, optimizer, devices), make_scorer(model, devices)
    train_step = _forecasting(train_step, n_clips=len(train), epochs=settings.epochs)
    variables = [*model.variables, *optimizer.variables]
    run = Run(variables, train.labels.shape, checkpoints, saves=devices.writes)
    resumed = run.resume()
    devices.check_agreement([run.epoch, run.batches], "epoch and step to resume from")
    if _is_finished(run, settings):
        print("all epochs are in the checkpoint: no training", file=sys.stderr)
    else:
        parameters = f"{model.count_params():,} parameters"
        print(f"{len(train)} clips, {parameters}, {devices.label}", file=sys.stderr)
        if resumed:
            print(f"resuming in epoch {run.epoch}, after step {run.batches}", file=sys.stderr)
    while not _is_finished(run, settings):
        started, waiting = time.perf_counter(), Waiting()
        with _divergence_explained(run, steps, lambda: rate_in_effect(rates, optimizer)):
            loss, auc = _train_epoch(run, train_step, train, settings, seed, devices, waiting)
            scores = _validate(score, validation, settings.batch_size, waiting)
            weights = _finite_weights(model)
        models.check_scores(name, scores)
        row = {
            "epoch": run.epoch,
            "loss": loss,
            "val_loss": cross_entropy(validation.labels, scores),
            "auc": auc,
            "val_auc": mean_roc_auc(validation.labels, scores),
        }
        _end_epoch(run, row, settings, weights, time.perf_counter() - started, waiting)
    if len(run.rows) < settings.epochs:
        patience = counted(settings.patience, "epoch")
        print(f"no better epoch in {patience}: stopped", file=sys.stderr)
    model.set_weights(run.best_weights)
    return Fit(pd.DataFrame(run.rows), pd.DataFrame(run.times), run.best_epoch)


def _is_finished(run: Run, settings: TrainingSettings) -> bool:
    """Tell whether all epochs are done, or none was better for too long."""
    patience = settings.patience
    out_of_patience = patience is not None and run.epochs_since_best > patience
    return run.epoch > settings.epochs or out_of_patience


@contextmanager
def _divergence_explained(run: Run, steps: int, rate: Callable[[], float]) -> Iterator[None]:
    """Turn a FloatingPointError into a UserError that names epoch, step and learning rate."""
    try:
        yield
    except FloatingPointError as error:
        step = min(run.batches + 1, steps)
        raise UserError(
            f"training diverged: {error} in epoch {run.epoch}, step {step}, at a learning rate "
            f"of {rate():g}; try a lower train.learning_rate"
        ) from error


def _train_epoch(
    run: Run,
    train_step: Callable,
    train: Examples,
    settings: TrainingSettings,
    seed: int,
    devices: Devices,
    waiting: Waiting,
) -> tuple[float, float | None]:
    """Run one epoch; return the mean loss and the macro ROC-AUC of the training scores."""
    order = np.random.default_rng([seed, run.epoch]).permutation(len(train))
    starts = range(0, len(order), settings.batch_size)
    batches = [order[start : start + settings.batch_size] for start in starts][run.batches :]
    clips = [train.clip_ids[devices.rows(batch)] for batch in batches]
    gather = devices.copied(train.gather_in(seed=seed, epoch=run.epoch))
    with closing(prefetched(gather, clips, waiting)) as ahead:
        steps = progress(
            zip(batches, ahead, strict=True),
            total=len(batches),
            label=f"epoch {run.epoch}/{settings.epochs}, step",
            note=lambda: f"loss {loss:.3f}  {waiting}",
        )
        for batch, mel in steps:
            loss, scores = train_step(mel, train.labels[batch])
            if not np.isfinite(loss):
                raise FloatingPointError(f"loss is {loss}")
            run.end_batch(batch, loss, scores.numpy())
    return run.loss_sum / len(train), mean_roc_auc(train.labels, run.scores)


def _validate(
    score: Callable[..., np.ndarray], validation: Examples, batch_size: int, waiting: Waiting
) -> np.ndarray:
    """Score the validation clips: float32, (clips, tags)."""
    scores = score(validation.clip_ids, validation.gather, batch_size=batch_size, waiting=waiting)
    if not np.isfinite(scores).all():
        raise FloatingPointError("validation scores are not finite")
    return scores


def _finite_weights(model: keras.Model) -> list[np.ndarray]:
    """Give the weights; with others than finite ones, the model could not be stored."""
    weights = model.get_weights()
    for variable, weight in zip(model.weights, weights, strict=True):
        if not np.isfinite(weight).all():
            raise FloatingPointError(f"weight {variable.path!r} is not finite")
    return weights


def _end_epoch(
    run: Run,
    row: dict,
    settings: TrainingSettings,
    weights: list[np.ndarray],
    seconds: float,
    waiting: Waiting,
) -> None:
    """Record the epoch, write a checkpoint, and print a line."""
    sign = 1 if settings.monitor == "val_loss" else -1
    run.end_epoch(
        row,
        {"epoch": row["epoch"], "seconds": seconds, "waiting": waiting.seconds},
        value=sign * row[settings.monitor],
        weights=weights,
    )
    print(_epoch_line(row, run.times, settings.epochs, waiting), file=sys.stderr)


def _forecasting(train_step: Callable, *, n_clips: int, epochs: int) -> Callable:
    """Make the same step say, once it is known, how fast it is and how long all epochs take.

    It is known from the first step of a size that was compiled in an earlier one.
    """
    compiled, said = set(), False

    def step(mel, labels):
        nonlocal said
        started = time.perf_counter()
        loss, scores = train_step(mel, labels)
        loss = float(loss)  # waits for the device
        if len(labels) in compiled and not said:
            rate = len(labels) / (time.perf_counter() - started)
            whole = duration(n_clips * epochs / rate)
            print_line(f"{rate:.1f} clips/s, about {whole} for {counted(epochs, 'epoch')}")
            said = True
        compiled.add(len(labels))
        return loss, scores

    return step


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
