"""Step train: fit a model to the training clips, keep its best epoch (sec. III)."""

import sys
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import yaml

from autotagging import models
from autotagging.errors import UserError
from autotagging.files import read_json, sha256, write_csv, write_json
from autotagging.partition import describe
from autotagging.store import MelStore, labelled_clips


def train(
    *,
    model: str,
    seed: int,
    corpus: str,
    labels: Path,
    split: Path,
    mel: Path,
    front_end: Path,
    batch_size: int,
    epochs: int,
    learning_rate: float,
    output_bias: Literal["prior", "zero"],
    monitor: Literal["val_loss", "val_auc"],
    patience: int | None,
    options: list[str],
    threads: int,
    weights: Path,
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
        Name of the corpus, for the record.
    labels
        Labels of merge_tags.
    split
        split.csv.
    mel
        summary.csv of extract_mel.
    front_end
        front_end.json of extract_mel.
    batch_size
        Clips a step.
    epochs
        At most so many.
    learning_rate
        Adam's.
    output_bias
        What the output layer's bias starts at: each tag's log-odds in training ("prior") or zero.
    monitor
        What the best epoch is best in: lowest val_loss or highest val_auc.
    patience
        Stop after so many epochs without a better one; none: run all.
    options
        The model's own, as name=value.
    threads
        Of the processor.
    weights
        Output: the weights of the best epoch, as arrays.
    model_json
        Output: what they are weights of.
    history
        Output: epoch, loss, val_loss, auc, val_auc.
    times
        Output: epoch, seconds, and seconds of waiting for data.
    """
    from autotagging import training
    from autotagging.modelfile import architecture, save_arrays, weights_of

    store = MelStore(mel)
    subsets = {
        name: training.Examples(
            clip_ids=table.index.to_numpy(), labels=table.to_numpy(np.float32), gather=store.gather
        )
        for name, table in labelled_clips(labels, split, store.clip_ids).items()
    }
    tags = pd.read_csv(labels, nrows=0).columns[2:].tolist()
    device = training.prepare(seed=seed, threads=threads)
    parsed = _parse_options(options)
    network = models.build(model, input_shape=store.clip_shape, n_tags=len(tags), **parsed)
    if output_bias == "prior":
        training.set_output_bias(network, subsets["train"].labels)
    result = training.fit(
        network,
        subsets["train"],
        subsets["validation"],
        batch_size=batch_size,
        epochs=epochs,
        learning_rate=learning_rate,
        monitor=monitor,
        patience=patience,
        seed=seed,
        device=device,
    )
    print(f"best epoch: {result.best_epoch}", file=sys.stderr)
    save_arrays(weights, weights_of(network))
    write_csv(result.history, history)
    write_csv(result.times, times)
    layers = architecture(network)
    write_json(
        {
            "model": model,
            "seed": seed,
            "corpus": Path(corpus).name,
            "split": describe(pd.read_csv(split)["subset"]),
            "batch_size": batch_size,
            "learning_rate": learning_rate,
            "output_bias": output_bias,
            "monitor": monitor,
            "best_epoch": result.best_epoch,
            "epochs": len(result.history),
            "trainable_parameters": sum(layer["trainable_parameters"] for layer in layers),
            "weights_sha256": sha256(weights),
            "input_shape": list(store.clip_shape),
            "front_end": read_json(front_end),
            "options": parsed,
            "tags": tags,
            "architecture": layers,
        },
        model_json,
    )


def _parse_options(options: list[str]) -> dict[str, Any]:
    """Parse name=value pairs; values are written as in YAML."""
    parsed = {}
    for option in options:
        name, equals, value = option.partition("=")
        if not equals:
            raise UserError(f"option {option!r}: expected name=value")
        parsed[name] = yaml.safe_load(value)
    return parsed
