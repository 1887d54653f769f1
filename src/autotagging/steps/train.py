"""Step train: fit a model to the training clips, keep its best epoch (sec. III)."""

import os
import sys
from contextlib import nullcontext, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import pandas as pd
from cyclopts import Parameter

from autotagging import models
from autotagging.common.errors import UserError
from autotagging.common.files import (
    read_json,
    save_arrays,
    sha256,
    write_checksums,
    write_csv,
)
from autotagging.common.params import read_options
from autotagging.dataset.groups import read_groups
from autotagging.dataset.store import MelStore, read_front_end
from autotagging.dataset.subsets import describe, labelled_clips, read_labels, read_split
from autotagging.models.stored import save_model, stack_epochs, versions
from autotagging.training.checkpoints import Checkpoints, only_training
from autotagging.training.cluster import is_first
from autotagging.training.fingerprint import training_fingerprint
from autotagging.training.settings import Machine, TrainingSettings

if TYPE_CHECKING:
    from autotagging.training.devices import Devices
    from autotagging.training.loop import Examples


@dataclass(frozen=True)
class TrainingData:
    """Data that a model is fitted to.

    Attributes
    ----------
    labels
        labels.csv of merge_tags: each clip's tags.
    tag_settings
        settings.json of merge_tags, whose treatment of synonyms is noted in model.json.
    split
        split.csv of split: each clip's subset.
    split_settings
        settings.json of split, whose scheme is noted in model.json.
    audio
        audio.json of download, whose title and checksum are noted in model.json.
    mel
        summary.csv of extract_mel, for a model that reads spectrograms.
    front_end
        front_end.json of extract_mel, for a model that reads spectrograms.
    groups
        groups.csv of download, for a model that reads tables.
    """

    labels: Path
    tag_settings: Path
    split: Path
    split_settings: Path
    audio: Path
    mel: Path | None = None
    front_end: Path | None = None
    groups: Path | None = None


@dataclass(frozen=True)
class ModelFiles:
    """Files to write a model to.

    Attributes
    ----------
    weights
        Output: weights of the best epoch, as arrays.
    epoch_weights
        Output: weights after the kept epochs, as arrays.
    model_json
        Output: description of the model and of its training.
    history
        Output: a row of epoch, loss, val_loss, auc, val_auc per epoch.
    times
        Output: a row of epoch, seconds, and seconds spent waiting for data per epoch.
    checksums
        Output: SHA-256 of the other files in its folder.
    """

    weights: Path
    epoch_weights: Path
    model_json: Path
    history: Path
    times: Path
    checksums: Path


def train(
    *,
    model: str,
    seed: int,
    options: list[str],
    data: Annotated[TrainingData, Parameter(name="*")],
    settings: Annotated[TrainingSettings, Parameter(name="*")],
    machine: Annotated[Machine, Parameter(name="*")],
    files: Annotated[ModelFiles, Parameter(name="*")],
) -> None:
    """Train a model and keep its best epoch.

    Parameters
    ----------
    model
        Name of the model.
    seed
        Seed of the initial weights, the order of clips, and dropout.
    options
        Options of the model, as name=value.
    """
    job = _Job(model, seed, read_options(options), data, _trained_on(data), settings, machine)
    alone = models.reads(model) != "mel" or is_first(machine.devices, os.environ)
    origin = _origin(data)  # before the training, so that a damaged file costs no time
    with only_training(machine.unfinished) if alone else nullcontext():
        fitted = _fit_network(job) if models.reads(model) == "mel" else _fit_tables(job)
        if fitted is not None:
            _write(fitted, job, origin, files)


def _origin(data: TrainingData) -> dict[str, str]:
    """Describe the data that a model is fitted to, for model.json."""
    scheme = read_json(data.split_settings, scheme=str)["scheme"]
    return {
        "corpus": read_json(data.audio, title=str)["title"],
        "split": describe(scheme, read_split(data.split)),
        "synonyms": read_json(data.tag_settings, synonyms=str)["synonyms"],
    }


def _write(fitted: "_Fitted", job: "_Job", origin: dict[str, str], files: ModelFiles) -> None:
    """Write a fitted model, and the log of its times if that is possible."""
    with suppress(OSError, UserError):  # a log stops no training
        write_csv(fitted.times, files.times)
    write_csv(fitted.history, files.history)
    save_arrays(files.epoch_weights, stack_epochs(fitted.epochs, [*fitted.arrays]))
    description = {
        "model": job.model,
        "seed": job.seed,
        **origin,
        "options": job.options,
        **fitted.description,
        "kept_epochs": [*fitted.epochs],
        "epochs_sha256": sha256(files.epoch_weights),
        "trained_on": job.trained_on,
        "versions": versions(),
        "tags": read_labels(job.data.labels).columns.drop("mp3_path").tolist(),
    }
    save_model(files.model_json, files.weights, description, fitted.arrays)
    write_checksums(files.checksums, {*vars(files).values()} - {files.times})
    if fitted.checkpoints:
        fitted.checkpoints.finish(sha256(files.weights))


@dataclass(frozen=True)
class _Job:
    """What is trained, how, and on what."""

    model: str
    seed: int
    options: dict[str, Any]
    data: TrainingData
    trained_on: dict[str, str]
    settings: TrainingSettings
    machine: Machine


@dataclass(frozen=True)
class _Fitted:
    """A fitted model of either kind.

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
    history: pd.DataFrame
    times: pd.DataFrame
    epochs: dict[int, list[np.ndarray]] = field(default_factory=dict)
    description: dict[str, Any] = field(default_factory=dict)
    checkpoints: Checkpoints | None = None


def _fit_network(job: _Job) -> _Fitted | None:
    """Train a network on spectrograms; None in a process that does not write the results."""
    from autotagging.training.devices import prepare
    from autotagging.training.precision import choose_precision

    model, machine = job.model, job.machine
    summary = models.required(job.data.mel, "--mel", model)
    front_end = read_front_end(models.required(job.data.front_end, "--front-end", model))
    devices = prepare(
        seed=job.seed, threads=machine.threads, devices=machine.devices, xla=machine.xla
    )
    settings = replace(job.settings, precision=choose_precision(job.settings.precision))
    fingerprint = training_fingerprint(
        model,
        [job.seed, job.options, asdict(settings), job.trained_on, sha256(summary)],
        [devices.replicas, machine.xla],
    )
    checkpoints = Checkpoints(
        machine.unfinished,
        fingerprint=fingerprint,
        devices=devices.describe(machine.threads),
        keep_epochs=settings.keep_epochs,
        minutes=machine.checkpoint_minutes,
    )
    devices.check_agreement([int(checkpoints.key, 16)], "parameters, data, code or precision")
    store = MelStore(summary, cache=machine.cache)
    with devices.one_voice():
        fitted = _train_on(store, front_end, replace(job, settings=settings), devices, checkpoints)
    return fitted if devices.writes else None


def _train_on(
    store: MelStore,
    front_end: dict[str, Any],
    job: _Job,
    devices: "Devices",
    checkpoints: Checkpoints,
) -> _Fitted:
    """Build the network, train it, and describe the result."""
    from autotagging.models.stored import architecture, trainable_parameters, weights_of
    from autotagging.training.loop import fit
    from autotagging.training.step import set_output_bias

    train, validation = _read_examples(store, job.data)
    settings, n_tags = job.settings, train.labels.shape[1]
    options = {**job.options, "precision": settings.precision}
    with devices.scope():
        network = models.build(job.model, input_shape=store.clip_shape, n_tags=n_tags, **options)
    if settings.output_bias == "prior":
        set_output_bias(network, train.labels)
    result = fit(
        network,
        train,
        validation,
        settings,
        seed=job.seed,
        devices=devices,
        checkpoints=checkpoints,
    )
    print(f"best epoch: {result.best_epoch}", file=sys.stderr)
    description = {
        "batch_size": settings.batch_size,
        "learning_rate": settings.learning_rate,
        "schedule": settings.schedule,
        "monitor": settings.monitor,
        "output_bias": settings.output_bias,
        "precision": settings.precision,
        "devices": devices.describe(job.machine.threads),
        "best_epoch": result.best_epoch,
        "epochs": len(result.history),
        "trainable_parameters": trainable_parameters(network),
        "input_shape": list(store.clip_shape),
        "front_end": front_end,
        "architecture": architecture(network),
    }
    return _Fitted(
        arrays=weights_of(network),
        history=result.history,
        times=result.times,
        epochs=checkpoints.load_epochs(len(result.history)) if devices.writes else {},
        description=description,
        checkpoints=checkpoints,
    )


def _read_examples(store: MelStore, data: TrainingData) -> tuple["Examples", "Examples"]:
    """Read the training clips and the validation clips."""
    from autotagging.training.loop import Examples

    labelled = labelled_clips(
        data.labels, data.split, subsets=("train", "validation"), available=store.clip_ids
    )
    train, validation = (
        Examples(table.index.to_numpy(), table.to_numpy(np.float32), store.gather)
        for table in labelled.values()
    )
    return train, validation


def _fit_tables(job: _Job) -> _Fitted:
    """Fit a model to the groups of the training clips; there are no epochs."""
    groups = read_groups(models.required(job.data.groups, "--groups", job.model))
    labels = labelled_clips(job.data.labels, job.data.split, subsets=("train",))["train"]
    return _Fitted(
        arrays=models.table_model(job.model, **job.options).fit(labels, groups),
        history=pd.DataFrame(columns=["epoch", "loss", "val_loss", "auc", "val_auc"]),
        times=pd.DataFrame(columns=["epoch", "seconds", "waiting"]),
    )


def _trained_on(data: TrainingData) -> dict[str, str]:
    """Give the SHA-256 of the corpus's audio, of the labels and of the split."""
    return {
        "audio_sha256": read_json(data.audio, sha256=str, title=str)["sha256"],
        "labels_sha256": sha256(data.labels),
        "split_sha256": sha256(data.split),
    }
