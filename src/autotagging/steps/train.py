"""Step train: fit a model to the training clips, keep its best epoch (sec. III)."""

import hashlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
import yaml

from autotagging import models
from autotagging.common.errors import UserError
from autotagging.common.files import read_json, save_arrays, sha256, write_csv
from autotagging.common.params import read_exponents
from autotagging.corpus.paths import corpus_title
from autotagging.corpus.tables import read_clip_info
from autotagging.dataset.store import MelStore, labelled_clips
from autotagging.labels.partition import describe
from autotagging.models.lookup import fit_lookup
from autotagging.models.stored import save_model, stack_epochs, versions
from autotagging.training.checkpoints import Checkpoints

if TYPE_CHECKING:
    from autotagging.training.devices import Devices

# Code that the course of a training depends on.
_FINGERPRINTED = (
    "steps/train.py",
    "training.py",
    "checkpoints.py",
    "devices.py",
    "epoch_metrics.py",
    "memory.py",
    "models/*.py",
    "precision.py",
    "prefetch.py",
    "store.py",
)


def train(
    *,
    model: str,
    seed: int,
    corpus: str,
    scheme: str,
    synonyms: str,
    labels: Path,
    split: Path,
    audio: Path,
    mel: Path | None = None,
    front_end: Path | None = None,
    clip_info: Path | None = None,
    batch_size: int,
    epochs: int,
    learning_rate: float,
    schedule: Literal["constant", "cosine", "step"],
    output_bias: Literal["prior", "zero"],
    monitor: Literal["val_loss", "val_auc"],
    patience: int | None,
    keep_epochs: Literal["all", "last"],
    options: list[str],
    threads: int,
    devices: Literal["auto", "mirrored", "multi_worker"],
    xla: bool,
    precision: Literal["float32", "mixed_bfloat16", "mixed_float16", "auto"],
    checkpoint_minutes: float,
    cache: float,
    unfinished: Path,
    weights: Path,
    epoch_weights: Path,
    model_json: Path,
    history: Path,
    times: Path,
) -> None:
    """Train a model and keep its best epoch.

    Parameters
    ----------
    model
        Name in the registry of models.
    seed
        Of the initial weights, the order of clips, and dropout.
    corpus
        Of which the clips are, for the record.
    scheme
        Of the split, for the record.
    synonyms
        Whether they were merged, for the record.
    labels
        Labels of merge_tags.
    split
        split.csv.
    audio
        audio.json of download, for the record.
    mel
        summary.csv and front_end.json of extract_mel, for a model that listens.
    front_end
        summary.csv and front_end.json of extract_mel, for a model that listens.
    clip_info
        clip_info_final.csv of the corpus, for a model that reads tables.
    batch_size
        Clips a step.
    epochs
        At most so many.
    learning_rate
        Adam's, in the first step.
    schedule
        How it changes: not at all (constant), to zero over all epochs (cosine), or to a tenth and a
        hundredth after half and three quarters of the epochs (step).
    output_bias
        What the output layer's bias starts at: each tag's log-odds in training ("prior") or zero.
    monitor
        What the best epoch is best in: lowest val_loss or highest val_auc.
    patience
        Stop after so many epochs without a better one; none: run all.
    keep_epochs
        Whether the weights after all epochs are kept, or after the last, besides the best.
    options
        The model's own, as name=value.
    threads
        Of the processor.
    devices
        To train a network on: one GPU or else the CPU ("auto"), all GPUs of this machine
        ("mirrored"), or those of all processes named by TF_CONFIG or Slurm ("multi_worker"), of
        which the first writes the outputs.
    xla
        Whether XLA compiles what it can of a step; on a GPU only.
    precision
        Of the convolutions; "auto" is the fastest that the hardware is made for.
    checkpoint_minutes
        Within an epoch, a checkpoint is written whenever so many minutes have passed.
    cache
        GB of spectrograms to keep in memory, those that are read first.
    unfinished
        Folder of the checkpoints, from which a training that was stopped goes on.
    weights
        Output: the weights of the best epoch, as arrays.
    epoch_weights
        Output: the weights after the epochs that are kept, as arrays.
    model_json
        Output: what they are weights of.
    history
        Output: epoch, loss, val_loss, auc, val_auc.
    times
        Output: epoch, seconds, and seconds of waiting for data.
    """
    parsed = _parse_options(options)
    trained_on = _fingerprints(audio, labels, split)
    tags = pd.read_csv(labels, nrows=0).columns[2:].tolist()
    checkpoints = None
    if models.reads(model) == "mel":
        from autotagging.training import loop as training
        from autotagging.training.precision import choose_precision

        settings = {
            "batch_size": batch_size,
            "epochs": epochs,
            "learning_rate": learning_rate,
            "schedule": schedule,
            "monitor": monitor,
            "patience": patience,
            "seed": seed,
        }
        summary = models.required(mel, "--mel", model)
        chosen = training.prepare(seed=seed, threads=threads, devices=devices, xla=xla)
        resolved = choose_precision(precision)
        fingerprint = _fingerprint(
            *(model, parsed, output_bias, settings, trained_on, sha256(summary)),
            *(chosen.label, threads, chosen.replicas, xla, resolved, keep_epochs),
        )
        chosen.check_agreement([int(fingerprint[:15], 16)], "parameters, data, code or precision")
        checkpoints = Checkpoints(unfinished, fingerprint=fingerprint, keep_epochs=keep_epochs)
        with chosen.one_voice():
            fitted = _train_network(
                model,
                labels=labels,
                split=split,
                mel=summary,
                front_end=models.required(front_end, "--front-end", model),
                output_bias=output_bias,
                options=parsed,
                precision=resolved,
                cache=cache,
                devices=chosen,
                checkpoints=checkpoints,
                checkpoint_minutes=checkpoint_minutes,
                **settings,
            )
        if not chosen.writes:
            return
        epochs = checkpoints.load_epochs(len(fitted.history))
    else:
        fitted = _fit_lookup(labels, split, models.required(clip_info, "--clip-info", model))
        epochs = {}
    write_csv(fitted.history, history)
    write_csv(fitted.times, times)
    save_arrays(epoch_weights, stack_epochs(epochs, [*fitted.arrays]))
    save_model(
        model_json,
        weights,
        {
            "model": model,
            "seed": seed,
            "corpus": corpus_title(corpus),
            "split": describe(scheme, pd.read_csv(split)["subset"]),
            "synonyms": synonyms,
            "options": parsed,
            **fitted.description,
            "kept_epochs": [*epochs],
            "epochs_sha256": sha256(epoch_weights),
            "trained_on": trained_on,
            "versions": versions(),
            "tags": tags,
        },
        fitted.arrays,
    )
    if checkpoints:
        checkpoints.delete()


@dataclass(frozen=True)
class _Fitted:
    """What either kind of model leaves: arrays, history, times, and more for model.json."""

    arrays: dict[str, np.ndarray]
    history: pd.DataFrame
    times: pd.DataFrame
    description: dict[str, Any]


def _train_network(
    model: str,
    *,
    labels: Path,
    split: Path,
    mel: Path,
    front_end: Path,
    output_bias: str,
    options: dict[str, Any],
    precision: str,
    cache: float,
    devices: "Devices",
    **settings: Any,
) -> _Fitted:
    """Train a network on spectrograms; `settings` are those of `training.fit`."""
    from autotagging.models.stored import architecture, weights_of
    from autotagging.training import loop as training

    store = MelStore(mel, cache=cache)
    labelled = labelled_clips(
        labels, split, subsets=("train", "validation"), available=store.clip_ids
    )
    subsets = {
        name: training.Examples(
            clip_ids=table.index.to_numpy(), labels=table.to_numpy(np.float32), gather=store.gather
        )
        for name, table in labelled.items()
    }
    n_tags = subsets["train"].labels.shape[1]
    with devices.scope():
        network = models.build(
            model, input_shape=store.clip_shape, n_tags=n_tags, precision=precision, **options
        )
    if output_bias == "prior":
        training.set_output_bias(network, subsets["train"].labels)
    result = training.fit(
        network, subsets["train"], subsets["validation"], devices=devices, **settings
    )
    print(f"best epoch: {result.best_epoch}", file=sys.stderr)
    layers = architecture(network)
    recorded = ("batch_size", "learning_rate", "schedule", "monitor")
    description = {
        **{name: settings[name] for name in recorded},
        "output_bias": output_bias,
        "precision": precision,
        "best_epoch": result.best_epoch,
        "epochs": len(result.history),
        "trainable_parameters": sum(layer["trainable_parameters"] for layer in layers),
        "input_shape": list(store.clip_shape),
        "front_end": read_json(front_end),
        "architecture": layers,
    }
    return _Fitted(weights_of(network), result.history, result.times, description)


def _fit_lookup(labels: Path, split: Path, clip_info: Path) -> _Fitted:
    """Count the tags of each track, album and artist; there are no epochs."""
    groups = read_clip_info(clip_info).set_index("clip_id")
    arrays = fit_lookup(labelled_clips(labels, split, subsets=("train",))["train"], groups)
    history = pd.DataFrame(columns=["epoch", "loss", "val_loss", "auc", "val_auc"])
    return _Fitted(arrays, history, pd.DataFrame(columns=["epoch", "seconds", "waiting"]), {})


def _fingerprints(audio: Path, labels: Path, split: Path) -> dict[str, str]:
    """Give the SHA-256 of all the corpus's audio, of the labels and of the split."""
    corpus = read_json(audio)
    if "sha256" not in corpus:
        raise UserError(f"{audio}: no sha256 of the audio; run download again")
    return {
        "audio_sha256": corpus["sha256"],
        "labels_sha256": sha256(labels),
        "split_sha256": sha256(split),
    }


def _fingerprint(*parts: Any) -> str:
    """Hash all that the course of a training depends on: its settings, code and libraries."""
    digest = hashlib.sha256(json.dumps([*parts, versions()]).encode())
    package = Path(models.__file__).parents[1]
    for code in _FINGERPRINTED:
        for path in sorted(package.glob(code)):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _parse_options(options: list[str]) -> dict[str, Any]:
    """Parse name=value pairs; values are written as in YAML."""
    parsed = {}
    for option in options:
        name, equals, value = option.partition("=")
        if not equals:
            raise UserError(f"option {option!r}: expected name=value")
        parsed[name] = read_exponents(yaml.safe_load(value))
    return parsed
