"""A trained network where the pipeline left it, with the properties of its tags.

The libraries of the pipeline are imported inside functions: none is needed for a bundle.
"""

import csv
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from autotagging.common.errors import UserError
from autotagging.common.files import CHECKSUMS, check_written
from autotagging.common.progress import native_log_hidden
from autotagging.tagging.front_end import librosas_filters

MODEL, WEIGHTS, PER_TAG = "model.json", "weights.npz", "per_tag.csv"
_EVALUATED = "evaluate/{model}/{seed}/" + PER_TAG
_NEEDS = ("jsonschema", "keras", "librosa", "pandas")


def find_trained(path: Path) -> Path | None:
    """Find the model.json of a trained model, given it or its folder; None: there is none."""
    place = path if path.name == MODEL else path / MODEL
    return place if place.is_file() else None


def trained_files(model_json: Path) -> list[Path]:
    """List the files that a trained model is read from, with those that are read if they exist."""
    near = [model_json.with_name(name) for name in (WEIGHTS, PER_TAG, CHECKSUMS)]
    evaluated = result_of(model_json, _EVALUATED)
    return [model_json, *near, *([evaluated] if evaluated else [])]


def default_model() -> Path:
    """Find the network of the last run: the first in `params.yaml: models`, of the lowest seed.

    Raises
    ------
    UserError
        There is no trained network in results/train of the working folder, or the libraries of the
        pipeline are not installed.
    """
    folder = Path("results/train")
    found = [path for path in folder.glob(f"*/seed-*/{MODEL}") if path.parts[-2][5:].isdecimal()]
    advice = "give --model the folder that `autotagging export` has written"
    if not found:
        raise UserError(f"no trained model in {folder}; {advice}")
    _check_libraries(folder)
    from autotagging import models
    from autotagging.common.params import read_params

    params = Path("params.yaml")
    order = read_params(params).get("models", []) if params.exists() else []
    networks = [path for path in found if _reads_audio(models, path.parts[-3])]
    if not networks:
        raise UserError(f"no network that reads spectrograms in {folder}; {advice}")

    def rank(path: Path) -> tuple[int, str, int]:
        name = path.parts[-3]
        place = order.index(name) if name in order else len(order)
        return place, name, int(path.parts[-2].removeprefix("seed-"))

    return min(networks, key=rank)


def _reads_audio(models: ModuleType, name: str) -> bool:
    return name in models.MODELS and models.reads(name) == "mel"


def _check_libraries(place: Path) -> None:
    if missing := [name for name in _NEEDS if find_spec(name) is None]:
        raise UserError(
            f"{place}: a trained model needs {', '.join(missing)}: pip install "
            "'autotagging[pipeline]'; or give --model the folder that `autotagging export` writes"
        )


def read_trained(model_json: Path, *, per_tag: Path | None = None) -> dict[str, Any]:
    """Read the description of a trained network: the arguments of `bundle.Description`.

    Parameters
    ----------
    model_json
        model.json of train, next to weights.npz.
    per_tag
        Table of the tags, see `tag_properties`.

    Raises
    ------
    UserError
        The model is damaged, or it is no network on spectrograms, or the libraries of the pipeline
        are not installed.
    """
    _check_libraries(model_json)
    from autotagging import models
    from autotagging.models.stored import load_model

    described = load_model(model_json).description
    name = described["model"]
    if models.reads(name) != "mel":
        raise UserError(
            f"{model_json}: model {name!r} is no network on spectrograms; only those can tag "
            "songs and be exported"
        )
    categories, thresholds = tag_properties(model_json, described["tags"], per_tag=per_tag)
    return {
        "model": name,
        "seed": described["seed"],
        "digest": described["weights_sha256"],
        "tags": tuple(described["tags"]),
        "categories": categories,
        "thresholds": thresholds,
        "input_shape": tuple(described["input_shape"]),
        "windows": models.windows(described["options"]),
        "front_end": described["front_end"],
    }


def tag_properties(
    model_json: Path, tags: Sequence[str], *, per_tag: Path | None = None
) -> tuple[dict[str, str], dict[str, float]]:
    """Read the categories of tags, and the thresholds that evaluate chose on validation clips.

    Parameters
    ----------
    model_json
        Model.
    tags
        Its tags.
    per_tag
        Table with the columns tag, category and threshold; None: per_tag.csv next to the model, or
        that of evaluate in the same results/, if there is one.

    Returns
    -------
    categories, thresholds
        By tag; both are empty without a table. A threshold of 0, with which evaluate gives a tag to
        every clip, is left out.

    Raises
    ------
    UserError
        The table is damaged or of another model, or a threshold is not from 0 to 1.
    """
    own = model_json.with_name(PER_TAG)
    path = per_tag or (own if own.is_file() else result_of(model_json, _EVALUATED))
    if path is None:
        return {}, {}
    check_written(path)
    with path.open(encoding="utf-8-sig", newline="") as file:  # a person may have edited it
        table = csv.DictReader(file)
        if "tag" not in (table.fieldnames or ()):
            raise UserError(f"{path}: no column 'tag'; expected tag, category, threshold")
        rows = {row["tag"]: row for row in table}
    if missing := [tag for tag in tags if tag not in rows]:
        raise UserError(f"{path}: no row of {missing[0]!r}: not the tags of {model_json}")
    categories = {tag: rows[tag]["category"] for tag in tags if rows[tag].get("category")}
    try:
        read = {tag: float(rows[tag]["threshold"]) for tag in tags if rows[tag].get("threshold")}
    except ValueError as error:
        raise UserError(f"{path}: a threshold is not a number ({error})") from error
    for tag, value in read.items():
        if not 0 <= value <= 1:
            raise UserError(f"{path}: the threshold of {tag!r} is {value:g}, not from 0 to 1")
    return categories, {tag: value for tag, value in read.items() if value > 0}


def result_of(model_json: Path, pattern: str) -> Path | None:
    """Find a file that another step has made of a model; None if there is none.

    Parameters
    ----------
    model_json
        Model, in results/train/<model>/seed-<n>/.
    pattern
        Path of the file in results/, such as "evaluate/{model}/{seed}/per_tag.csv".
    """
    folder = model_json.absolute().parent
    if len(folder.parts) < 4:
        return None
    named = pattern.format(model=folder.parts[-2], seed=folder.name)
    path = folder.parents[2] / named
    return path if path.is_file() else None


def score_with_keras(
    model_json: Path, *, threads: int
) -> tuple[dict[str, np.ndarray], Callable[[np.ndarray], np.ndarray]]:
    """Load a trained network for the CPU.

    Returns
    -------
    filters
        Filters and window of the front end, by name.
    network
        Function from spectrograms, float32, (batch, mel bins, frames), to scores, (batch, tags).
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with native_log_hidden():
        import tensorflow as tf

        from autotagging.models.stored import build_network, load_model
    with suppress(RuntimeError):  # too late if TensorFlow has been used before
        tf.config.set_visible_devices([], "GPU")
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    stored = load_model(model_json)
    network = build_network(stored)
    filters = librosas_filters(stored.description["front_end"])
    return filters, network.predict_on_batch
