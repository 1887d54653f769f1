"""Read and check the files of earlier steps, for figures and tables."""

from collections.abc import Container, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from autotagging.common.errors import UserError
from autotagging.common.files import load_arrays, read_json

_MODEL = ("model", "seed", "corpus", "split", "best_epoch", "front_end", "architecture")
_FRONT_END = ("sample_rate", "n_fft", "hop_length", "n_mels", "seconds", "frames", "log_scale")
_METRICS = ("model", "seed", "corpus", "split", "roc_auc_macro", "roc_auc_micro", "accuracy")
_METRICS += (
    "pr_auc_macro",
    "synonyms",
    "loss",
    "threshold",
    "n_clips",
    "n_clips_with_tags",
    "n_tags",
    "n_tags_scored",
    "tags_not_scored",
    "calibration_error",
    "confidence",
    "intervals",
    "baselines",
    "gains",
    "epoch_choices",
)
_PUBLISHED = ("method", "year", "roc_auc", "citation", "tags", "split", "comparable", "note")


def read_model(path: Path) -> dict[str, Any]:
    """Read the model.json of a trained model.

    Raises
    ------
    UserError
        The file is damaged or lacks an entry.
    """
    model = read_json(path)
    _require(model, (*_MODEL, "trainable_parameters"), f"{path}: no entry")
    _require(model["front_end"], _FRONT_END, f"{path}: front_end has no")
    return model


def read_front_end(path: Path) -> dict[str, Any]:
    """Read the front_end.json of extract_mel; errors as in `read_model`."""
    front_end = read_json(path)
    _require(front_end, _FRONT_END, f"{path}: no entry")
    return front_end


def read_title(path: Path) -> str:
    """Read the corpus's title in the audio.json of download; errors as in `read_model`."""
    audio = read_json(path)
    _require(audio, ("title",), f"{path}: no entry")
    return audio["title"]


def read_metrics(path: Path) -> dict[str, Any]:
    """Read the metrics.json of one model and seed; errors as in `read_model`."""
    metrics = read_json(path)
    _require(metrics, _METRICS, f"{path}: no entry")
    return metrics


def read_predictions(path: Path) -> dict[str, np.ndarray]:
    """Read clip_id, track, scores, labels and tags; errors as in `read_model`."""
    arrays = load_arrays(path)
    _require(arrays, ("clip_id", "track", "scores", "labels", "tags"), f"{path}: no array")
    return arrays


def read_table(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    """Read a table that has these columns; errors as in `read_model`."""
    try:
        table = pd.read_csv(path)
    except ValueError as error:
        raise UserError(f"{path}: can't be read as a table ({error})") from error
    _require(table, columns, f"{path}: no column")
    return table


def read_published(path: Path) -> list[dict[str, Any]]:
    """Read the cited rows of Table 4.

    Raises
    ------
    UserError
        The file is damaged, or a row lacks a key.
    """
    try:
        rows = yaml.safe_load(path.read_bytes())
    except yaml.YAMLError as error:
        raise UserError(f"{path}: not valid YAML ({error})") from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UserError(f"{path}: expected a list of rows, each with {', '.join(_PUBLISHED)}")
    for number, row in enumerate(rows, start=1):
        needed = (*_PUBLISHED, "epochs") if row.get("this_paper") else _PUBLISHED
        if missing := [key for key in needed if key not in row]:
            raise UserError(f"{path}: row {number} has no {missing[0]!r}; add it")
    return rows


def paper_row(path: Path) -> dict[str, Any]:
    """Read the cited row of the paper itself; errors as in `read_published`."""
    rows = [row for row in read_published(path) if row.get("this_paper")]
    if len(rows) != 1:
        raise UserError(f"{path}: {len(rows)} rows have `this_paper: true`; exactly one must")
    return rows[0]


def read_runs(
    history: Sequence[Path], model_json: Sequence[Path]
) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Read the epochs of all runs into one table.

    Parameters
    ----------
    history, model_json
        Paths of history.csv and model.json of each run, in the same order.

    Returns
    -------
    runs : (epochs of all runs, 8)
        epoch, loss, val_loss, auc, val_auc, model, seed, best.
    models
        Contents of each model.json.

    Raises
    ------
    UserError
        The two lists differ in length, or a file is damaged.
    """
    same_length(history=history, model_json=model_json)
    models = [read_model(path) for path in model_json]
    runs = read_each(history, models, ("epoch", "loss", "val_loss", "auc", "val_auc"))
    best = {(model["model"], model["seed"]): model["best_epoch"] for model in models}
    chosen = [best[run] for run in zip(runs["model"], runs["seed"], strict=True)]
    return runs.assign(best=runs["epoch"] == chosen), models


def read_each(
    paths: Sequence[Path], runs: list[dict[str, Any]], columns: tuple[str, ...]
) -> pd.DataFrame:
    """Read the tables of all runs into one, with columns for model and seed.

    Parameters
    ----------
    paths
        Paths of the tables, in the order of the runs.
    runs
        Contents of each run's model.json or metrics.json.
    columns
        Columns that each table must have.
    """
    same_length(tables=paths, runs=runs)
    empty = pd.DataFrame(columns=[*columns, "model", "seed"])
    tables = [
        read_table(path, columns).assign(model=run["model"], seed=run["seed"])
        for path, run in zip(paths, runs, strict=True)
    ]
    return pd.concat([table for table in tables if len(table)] or [empty], ignore_index=True)


def same_length(**paths: Sequence[Any]) -> None:
    """Raise a UserError if two lists of files differ in length."""
    (first, one), (second, other) = paths.items()
    if len(one) != len(other):
        raise UserError(f"{len(one)} files of {first}, {len(other)} of {second}: give one of each")


def _require(content: Container, names: Sequence[str], complaint: str) -> None:
    if missing := [name for name in names if name not in content]:
        raise UserError(f"{complaint} {missing[0]!r}; run the step that wrote it again")
