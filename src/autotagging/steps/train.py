"""Step train: fit a model to the training clips, keep its best epoch (sec. III)."""

import os
from contextlib import nullcontext, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
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
from autotagging.common.versions import versions, write_versions
from autotagging.dataset.groups import read_groups
from autotagging.dataset.store import MelStore, read_front_end
from autotagging.dataset.subsets import describe, labelled_clips, read_labels, read_split
from autotagging.models.stored import (
    StoredModel,
    check_options,
    not_finite,
    of_network,
    save_model,
    stack_epochs,
)
from autotagging.training.checkpoints import Checkpoints, only_training
from autotagging.training.cluster import is_first
from autotagging.training.fingerprint import training_fingerprint
from autotagging.training.fitted import Fitted, fit_network
from autotagging.training.inputs import Inputs, fitted_features, spectrograms
from autotagging.training.settings import Machine, TrainingSettings
from autotagging.training.start import Start, check_start, load_start

if TYPE_CHECKING:
    from autotagging.training.devices import Devices

_SMALLER = (
    "set a lower batch_size in train, or in training of the model if it has one there, with which "
    "training starts anew; otherwise it continues from its last checkpoint"
)


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
    other_labels
        other_labels.csv of merge_tags, for a model that also learns from the other tags.
    start_from
        model.json of a stored model, or its folder; training starts from its weights.
    """

    labels: Path
    tag_settings: Path
    split: Path
    split_settings: Path
    audio: Path
    mel: Path | None = None
    front_end: Path | None = None
    groups: Path | None = None
    other_labels: Path | None = None
    start_from: Path | None = None


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
    versions
        Output: versions of the libraries that made the model.
    checksums
        Output: SHA-256 of the other files in its folder.
    """

    weights: Path
    epoch_weights: Path
    model_json: Path
    history: Path
    times: Path
    versions: Path
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
    of_model = read_options(options)
    check_options(model, of_model)
    start = _load_start(model, data.start_from)
    trained_on = _trained_on(data, start)
    job = _Job(model, seed, of_model, data, trained_on, settings, machine, start)
    alone = models.reads(model) != "mel" or is_first(machine.devices, os.environ)
    origin = _origin(data)  # before the training, so that a damaged file costs no time
    with only_training(machine.unfinished) if alone else nullcontext():
        fitted = _fit_network(job) if models.reads_spectrograms(model) else _fit_tables(job)
        if fitted is not None:
            _write(fitted, job, origin, files)


def _load_start(model: str, start_from: Path | None) -> StoredModel | None:
    """Read the model whose weights a training starts from, if there is one."""
    if start_from is None:
        return None
    models.training_options(model)  # fails for a model that has no start
    return load_start(start_from)


def _origin(data: TrainingData) -> dict[str, str]:
    """Describe the data that a model is fitted to, for model.json."""
    scheme = read_json(data.split_settings, scheme=str)["scheme"]
    return {
        "corpus": read_json(data.audio, title=str)["title"],
        "split": describe(scheme, read_split(data.split)),
        "synonyms": read_json(data.tag_settings, synonyms=str)["synonyms"],
    }


def _write(fitted: Fitted, job: "_Job", origin: dict[str, str], files: ModelFiles) -> None:
    """Write a fitted model, and the log of its times if that is possible."""
    if name := not_finite(fitted.arrays):
        raise UserError(
            f"model {job.model!r}: {name!r} has values that are not finite; nothing is written"
        )
    with suppress(OSError, UserError):  # a log stops no training
        write_csv(fitted.times, files.times)
    write_csv(fitted.history, files.history)
    names = [*of_network(fitted.arrays)]
    save_arrays(files.epoch_weights, stack_epochs(fitted.epochs, names))
    description = {
        "model": job.model,
        "seed": job.seed,
        **origin,
        "options": job.options,
        **fitted.description,
        "kept_epochs": [*fitted.epochs],
        "epochs_sha256": sha256(files.epoch_weights),
        "trained_on": job.trained_on,
        "versions": versions(*models.libraries(job.model)),
        "tags": _tags(job.data),
    }
    save_model(files.model_json, files.weights, description, fitted.arrays)
    write_versions(files.versions, *models.libraries(job.model))
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
    start: StoredModel | None


def _fit_network(job: _Job) -> Fitted | None:
    """Fit a network to spectrograms; None in a process that does not write the results."""
    model, machine = job.model, job.machine
    if machine.devices == "multi_worker" and models.reads(model) != "mel":
        raise UserError(f"model {model!r} is fitted by one process; set train.devices to auto")
    summary = models.required(job.data.mel, "--mel", model)
    front_end = read_front_end(models.required(job.data.front_end, "--front-end", model))
    models.check_log_scale(model, front_end["log_scale"])
    # Loads TensorFlow, which takes seconds.
    from autotagging.training.devices import full_memory_explained, prepare
    from autotagging.training.precision import choose_precision

    devices = prepare(
        seed=job.seed, threads=machine.threads, devices=machine.devices, xla=machine.xla
    )
    start = _start(job)
    settings = replace(job.settings, precision=choose_precision(job.settings.precision))
    checkpoints = _checkpoints(job, settings, devices, start)
    devices.check_agreement([int(checkpoints.key, 16)], "parameters, data, code or precision")
    # Features read a spectrogram twice at most; kept ones would cost more than they save.
    store = MelStore(summary, cache=machine.cache if models.reads(model) == "mel" else 0.0)
    training = {"seed": job.seed, "threads": machine.threads}
    training |= {"devices": devices, "checkpoints": checkpoints}
    with devices.one_voice(), full_memory_explained(_SMALLER):
        inputs = _inputs(job, store, front_end, settings=settings, **training)
        fitted = fit_network(model, job.options, inputs, settings, start=start, **training)
    fitted.description["front_end"] = front_end
    return fitted if devices.writes else None


def _checkpoints(
    job: _Job, settings: TrainingSettings, devices: "Devices", start: Start | None
) -> Checkpoints:
    """Give the checkpoints of this training, and of no other data, settings, code or devices."""
    machine, mel = job.machine, sha256(models.required(job.data.mel, "--mel", job.model))
    fingerprint = training_fingerprint(
        job.model,
        [job.seed, job.options, asdict(settings), job.trained_on, mel],
        [devices.replicas, machine.xla],
        start and start.stored.description["tags"],
    )
    return Checkpoints(
        machine.unfinished,
        fingerprint=fingerprint,
        devices=devices.describe(machine.threads),
        keep_epochs=settings.keep_epochs,
        minutes=machine.checkpoint_minutes,
    )


def _start(job: _Job) -> Start | None:
    """Check the model whose weights a training starts from, if there is one."""
    if job.start is None:
        return None
    check_start(
        job.start,
        model=job.model,
        options=job.options,
        front_end=job.data.front_end,
        trained_on=job.trained_on,
    )
    return Start(job.start, _tags(job.data))


def _tags(data: TrainingData) -> list[str]:
    """Give the tags in the order of the outputs."""
    return read_labels(data.labels).columns.drop("mp3_path").tolist()


def _inputs(job: _Job, store: MelStore, front_end: dict[str, Any], **training: Any) -> Inputs:
    """Read what a network learns from, for which a model on features is fitted to the clips."""
    labelled = labelled_clips(
        job.data.labels,
        job.data.split,
        subsets=("train", "validation"),
        available=store.clip_ids,
    )
    if models.reads(job.model) == "mel":
        return spectrograms(store, labelled, job.options)
    other_labels = None
    if models.reads_other_labels(job.model):
        path = models.required(job.data.other_labels, "--other-labels", job.model)
        other_labels = read_labels(path).drop(columns="mp3_path").loc[labelled["train"].index]
        other_labels = other_labels.to_numpy(np.float32)
    return fitted_features(
        store,
        labelled,
        models.feature_model(job.model, **job.options),
        other_labels=other_labels,
        front_end=front_end,
        audio_sha256=job.trained_on["audio_sha256"],
        **training,
    )


def _fit_tables(job: _Job) -> Fitted:
    """Fit a model to the groups of the training clips; there are no epochs."""
    groups = read_groups(models.required(job.data.groups, "--groups", job.model))
    labels = labelled_clips(job.data.labels, job.data.split, subsets=("train",))["train"]
    return Fitted(
        arrays=models.table_model(job.model, **job.options).fit(labels, groups),
        description={"multiply_adds": 0},
    )


def _trained_on(data: TrainingData, start: StoredModel | None) -> dict[str, str]:
    """Give the SHA-256 of audio, labels and split, and those of the model at the start."""
    of_start = {}
    if start:
        before = start.description["trained_on"]
        of_start = {f"start_{name}": checksum for name, checksum in before.items()}
        of_start |= {"start_weights_sha256": start.description["weights_sha256"]}
    return {
        "audio_sha256": read_json(data.audio, sha256=str, title=str)["sha256"],
        "labels_sha256": sha256(data.labels),
        "split_sha256": sha256(data.split),
        **of_start,
    }
