"""Read and check the files of earlier steps, for figures and tables."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from autotagging.common import tables
from autotagging.common.errors import UserError
from autotagging.common.files import check_entries, load_arrays, read_json
from autotagging.dataset.groups import INTERVAL_UNIT
from autotagging.dataset.store import FRONT_END

_NUMBER, _PERHAPS = int | float, int | float | None
_RUN = {"model": str, "seed": int, "corpus": str, "split": str}
_MODEL = {**_RUN, "best_epoch": int, "trainable_parameters": int}
_MODEL |= {"front_end": FRONT_END, "architecture": list}
_SCORING = {"model": str, "seed": int, "tags": list}
_COUNTED = {"trainable_parameters": int | None, "multiply_adds": int | None}
_LAYER = {"name": str, "type": str, "output_shape": list, "parameters": int}
_INTERVALS = dict.fromkeys(("groups", "resamples", "resamples_without_some_tag"), int)
_INTERVALS |= {"gain_over_lookup": dict}
_VALIDATION = {"roc_auc_macro": _PERHAPS, "intervals": {INTERVAL_UNIT: dict}}
_HEADLINE = {
    **_RUN,
    "roc_auc_macro": _PERHAPS,
    "confidence": _NUMBER,
    "intervals": {INTERVAL_UNIT: dict},
    "baselines": {"lookup": {"roc_auc_macro": _PERHAPS}},
    "validation": _VALIDATION,
}
_METRICS = {
    **_HEADLINE,
    **dict.fromkeys(("roc_auc_micro", "pr_auc_macro"), _PERHAPS),
    **dict.fromkeys(("accuracy", "loss", "calibration_error"), _PERHAPS),
    **dict.fromkeys(("n_clips", "n_clips_with_tags", "n_tags", "n_tags_scored"), int),
    "synonyms": str,
    "threshold": _NUMBER,
    "tags_not_scored": list,
    "intervals": {INTERVAL_UNIT: _INTERVALS},
    "gains": {"over_lookup": {"roc_auc_macro": _PERHAPS}},
    "epoch_choices": dict,
}
_TEXTS = ("tag", "category", "raw_tag", "merged_into", "merged_from", "mp3_path", "subset", "level")
_COUNTS = ("clip_id", "count", "merged_count", "kept", "positives", "tags", "tags_scored")
_COUNTS += ("artists", "epoch", "best", "last", "oracle", "decisions", "clips_without_group")
_TYPES = {**dict.fromkeys(_TEXTS, str), **dict.fromkeys(_COUNTS, int)}
_PUBLISHED = ("method", "year", "roc_auc", "citation", "tags", "split", "comparable", "note")
_OF_PAPER = ("epochs", "tag_names")


def read_model(path: Path) -> dict[str, Any]:
    """Read the model.json of a trained model.

    Raises
    ------
    UserError
        The file is damaged or lacks an entry.
    """
    model = read_json(path, **_MODEL)
    for number, layer in enumerate(model["architecture"], start=1):
        check_entries(layer, f"{path}: layer {number}", _LAYER)
    return model


def read_results(metrics: Sequence[Path], model_json: Sequence[Path]) -> list[dict[str, Any]]:
    """Read the metrics of all runs, each with what its model costs and reads.

    Parameters
    ----------
    metrics, model_json
        Paths of metrics.json and model.json of each run, in the same order.

    Returns
    -------
    runs
        Contents of each metrics.json, and from model.json: trainable_parameters (a count),
        multiply_adds (operations to score one clip), both None if they are not known or the model
        has none; tag_names (what it scores); reads_audio (whether it was trained on spectrograms).

    Raises
    ------
    UserError
        The two lists are not of the same runs, or a file is damaged.
    """
    same_length(metrics=metrics, model_json=model_json)
    runs = []
    for measured, described in zip(metrics, model_json, strict=True):
        run, model = read_metrics(measured), read_json(described, **_SCORING)
        if any(run[name] != model[name] for name in ("model", "seed")):
            raise UserError(f"{described}: not the model of {measured}; give the same order")
        costs = {name: model.get(name) for name in _COUNTED}
        check_entries(costs, str(described), _COUNTED)
        of_model = {"tag_names": model["tags"], "reads_audio": "front_end" in model}
        runs.append({**run, **costs, **of_model})
    return runs


def read_title(path: Path) -> str:
    """Read the corpus's title in the audio.json of download; errors as in `read_model`."""
    return read_json(path, title=str)["title"]


def read_metrics(path: Path) -> dict[str, Any]:
    """Read the metrics.json of one model and seed; errors as in `read_model`."""
    return read_json(path, **_METRICS)


def read_headline(path: Path) -> dict[str, Any]:
    """Read a metrics.json, also one of earlier code, for its macro ROC-AUC on both subsets alone.

    Errors are those of `read_model`.
    """
    return read_json(path, **_HEADLINE)


def read_predictions(path: Path) -> dict[str, np.ndarray]:
    """Read clip_id, track, artist, scores, labels and tags; errors as in `read_model`."""
    arrays = load_arrays(path)
    for name in ("clip_id", "track", "artist", "scores", "labels", "tags"):
        if name not in arrays:
            raise UserError(f"{path}: no array {name!r}; run the step that wrote it again")
    return arrays


def read_table(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    """Read a table that has these columns, all that are no text as numbers; errors as above."""
    return tables.read_table(path, _TYPES, required=columns, others=float)


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
        needed = (*_PUBLISHED, *_OF_PAPER) if row.get("this_paper") else _PUBLISHED
        if missing := [key for key in needed if key not in row]:
            raise UserError(f"{path}: row {number} has no {missing[0]!r}; add it")
        names = row.get("tag_names", [])
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise UserError(f"{path}: row {number}: tag_names: expected a list of names")
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
    """Read the epochs of all runs into one table; models without epochs have no rows.

    Parameters
    ----------
    history, model_json
        Paths of history.csv and model.json of each run, in the same order.

    Returns
    -------
    runs : (epochs of all runs, 8)
        epoch, loss, val_loss, auc, val_auc, model, seed, best.
    models
        Contents of the model.json of each run with epochs, or of all runs if none has.

    Raises
    ------
    UserError
        The two lists differ in length, or a file is damaged.
    """
    same_length(history=history, model_json=model_json)
    described = [read_json(path, **_RUN) for path in model_json]
    trained = [number for number, model in enumerate(described) if model.get("best_epoch")]
    models = [described[number] for number in trained]
    for number in trained:
        check_entries(described[number], str(model_json[number]), {"best_epoch": int})
    paths = [history[number] for number in trained]
    runs = read_each(paths, models, ("epoch", "loss", "val_loss", "auc", "val_auc"))
    best = {(model["model"], model["seed"]): model["best_epoch"] for model in models}
    chosen = [best[run] for run in zip(runs["model"], runs["seed"], strict=True)]
    return runs.assign(best=runs["epoch"] == chosen), models or described


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
