"""Step train: fit a model to the training clips, keep its best epoch (sec. III)."""

import os
import sys
from contextlib import nullcontext, suppress
from dataclasses import asdict, dataclass, field, replace
from functools import partial
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
from autotagging.models.stored import FEATURES, of_network, save_model, stack_epochs, versions
from autotagging.training.checkpoints import Checkpoints, only_training
from autotagging.training.cluster import is_first
from autotagging.training.fingerprint import training_fingerprint
from autotagging.training.settings import Machine, TrainingSettings

if TYPE_CHECKING:
    import keras

    from autotagging.training.devices import Devices


_NO_EPOCHS = pd.DataFrame(columns=["epoch", "loss", "val_loss", "auc", "val_auc"])
_NO_TIMES = pd.DataFrame(columns=["epoch", "seconds", "waiting"])


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
    alone = not models.reads_spectrograms(model) or is_first(machine.devices, os.environ)
    origin = _origin(data)  # before the training, so that a damaged file costs no time
    with only_training(machine.unfinished) if alone else nullcontext():
        fitted = _fit_network(job) if models.reads_spectrograms(model) else _fit_tables(job)
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
    models.check_log_scale(model, front_end["log_scale"])
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
    job = replace(job, settings=settings)
    with devices.one_voice():
        examples = _Reader(store, job, devices, checkpoints)
        fitted = _train_on(examples, front_end, job, devices, checkpoints)
    return fitted if devices.writes else None


class _Reader:
    """Inputs of a network, read from the spectrograms, and labels, of both subsets.

    Parameters
    ----------
    store
        Spectrograms.
    job
        What is trained.
    devices, checkpoints
        Of the training.

    Attributes
    ----------
    train, validation
        Examples of the subsets.
    shape
        Shape of an input: of a clip's spectrogram, of a window, or of a window's features.
    windows
        Windows of a clip that are scored.
    model
        Functions of a model on features; None for others.
    features
        Arrays of the fitted features.
    multiply_adds
        Multiply-adds of a clip's features.
    """

    def __init__(self, store: MelStore, job: _Job, devices: "Devices", checkpoints: Checkpoints):
        from autotagging.training.loop import Examples

        labelled = labelled_clips(
            job.data.labels,
            job.data.split,
            subsets=("train", "validation"),
            available=store.clip_ids,
        )
        ids, labels = (
            [to_arrays(table) for table in labelled.values()]
            for to_arrays in (lambda t: t.index.to_numpy(), lambda t: t.to_numpy(np.float32))
        )
        self.features: dict[str, np.ndarray] = {}
        self.model, self.multiply_adds = None, 0
        cut = models.windows(job.options)
        gathers, self.shape, self.windows = (store.gather, store.gather), store.clip_shape, 1
        if models.reads(job.model) == "features":
            self.model = models.feature_model(job.model, **job.options)
            gathers = self._fit(store, job, ids, labels[0], devices, checkpoints)
        elif cut:
            self.shape = (store.clip_shape[0], cut.frames)
            self.windows = len(cut.starts(store.clip_shape[1]))
            gathers = (store.gather, lambda clip_ids: cut.even(store.gather(clip_ids)))
        self.train, self.validation = (
            Examples(*each, windows=cut if number == 0 else None)
            for number, each in enumerate(zip(ids, labels, gathers, strict=True))
        )

    def _fit(
        self,
        store: MelStore,
        job: _Job,
        ids: list[np.ndarray],
        labels: np.ndarray,
        devices: "Devices",
        checkpoints: Checkpoints,
    ) -> tuple:
        """Fit the features to the training clips and compute those of all clips."""
        from autotagging.training.features import (
            FeatureFile,
            TrainingClips,
            fit_features,
            limit_linear_algebra,
            transformed,
        )

        limit_linear_algebra()

        other_labels = None
        if models.reads_other_labels(job.model):
            path = models.required(job.data.other_labels, "--other-labels", job.model)
            other_labels = read_labels(path).drop(columns="mp3_path").loc[ids[0]]
            other_labels = other_labels.to_numpy(np.float32)
        clips = TrainingClips(
            ids[0],
            labels,
            other_labels,
            store.gather,
            seed=job.seed,
            settings=job.settings,
            devices=devices,
            checkpoints=checkpoints,
            front_end=read_front_end(job.data.front_end),
            audio_sha256=job.trained_on["audio_sha256"],
            threads=job.machine.threads,
        )
        self.features = fit_features(self.model, clips)
        compute = transformed(
            store.gather,
            lambda mel: self.model.transform(mel, self.features),
            threads=job.machine.threads,
        )
        path = checkpoints.path_of("features-clips", ".bin")
        file = FeatureFile(path, np.concatenate(ids), compute)
        self.windows, self.shape = file.shape[0], file.shape[1:]
        if self.model.multiply_adds:
            mel_bins, frames = store.clip_shape
            self.multiply_adds = self.model.multiply_adds(
                self.features, mel_bins=mel_bins, frames=frames
            )
        return file.gather, file.gather


def _train_on(
    data: _Reader,
    front_end: dict[str, Any],
    job: _Job,
    devices: "Devices",
    checkpoints: Checkpoints,
) -> _Fitted:
    """Build the network, train it, and describe the result."""
    from autotagging.models.stored import architecture, trainable_parameters, weights_of
    from autotagging.training.costs import multiply_adds
    from autotagging.training.step import set_output_bias

    settings, n_tags = job.settings, data.train.labels.shape[1]
    options = {**job.options, "precision": settings.precision}
    with devices.scope():
        network = models.build(job.model, input_shape=data.shape, n_tags=n_tags, **options)
    if settings.output_bias == "prior":
        set_output_bias(network, data.train.labels)
    if data.model and data.model.solve:
        fitted = _solve(network, data)
    else:
        fitted = _train_in_epochs(network, data, job, devices, checkpoints)
    description = {
        **fitted.description,
        "trainable_parameters": trainable_parameters(network),
        "multiply_adds": data.windows * multiply_adds(network) + data.multiply_adds,
        "input_shape": list(data.shape),
        "windows": data.windows,
        "front_end": front_end,
        "architecture": architecture(network),
    }
    features = {f"{FEATURES}{name}": array for name, array in data.features.items()}
    return replace(
        fitted,
        arrays={**weights_of(network), **features},
        description=description,
        checkpoints=checkpoints,
    )


def _solve(network: "keras.Model", data: _Reader) -> _Fitted:
    """Set the weights of a network that is not trained in epochs."""
    pairs = [
        (subset.gather(subset.clip_ids).astype(np.float32), subset.labels)
        for subset in (data.train, data.validation)
    ]
    network.set_weights(data.model.solve(*pairs[0], *pairs[1]))
    return _Fitted(arrays={}, history=_NO_EPOCHS, times=_NO_TIMES)


def _train_in_epochs(
    network: "keras.Model",
    data: _Reader,
    job: _Job,
    devices: "Devices",
    checkpoints: Checkpoints,
) -> _Fitted:
    """Train a network, which is left with the weights of its best epoch."""
    from autotagging.training.features import keep
    from autotagging.training.loop import fit

    settings = job.settings
    if data.model and data.model.start:
        data.model.start(
            network,
            data.train.gather(data.train.clip_ids),
            seed=job.seed,
            keep=partial(keep, checkpoints),
        )
    result = fit(
        network,
        data.train,
        data.validation,
        settings,
        seed=job.seed,
        devices=devices,
        checkpoints=checkpoints,
    )
    print(f"best epoch: {result.best_epoch}", file=sys.stderr)
    return _Fitted(
        arrays={},
        history=result.history,
        times=result.times,
        epochs=checkpoints.load_epochs(len(result.history)) if devices.writes else {},
        description={
            "batch_size": settings.batch_size,
            "learning_rate": settings.learning_rate,
            "schedule": settings.schedule,
            "monitor": settings.monitor,
            "output_bias": settings.output_bias,
            "precision": settings.precision,
            "devices": devices.describe(job.machine.threads),
            "best_epoch": result.best_epoch,
            "epochs": len(result.history),
        },
    )


def _fit_tables(job: _Job) -> _Fitted:
    """Fit a model to the groups of the training clips; there are no epochs."""
    groups = read_groups(models.required(job.data.groups, "--groups", job.model))
    labels = labelled_clips(job.data.labels, job.data.split, subsets=("train",))["train"]
    return _Fitted(
        arrays=models.table_model(job.model, **job.options).fit(labels, groups),
        history=_NO_EPOCHS,
        times=_NO_TIMES,
        description={"multiply_adds": 0},
    )


def _trained_on(data: TrainingData) -> dict[str, str]:
    """Give the SHA-256 of the corpus's audio, of the labels and of the split."""
    return {
        "audio_sha256": read_json(data.audio, sha256=str, title=str)["sha256"],
        "labels_sha256": sha256(data.labels),
        "split_sha256": sha256(data.split),
    }
