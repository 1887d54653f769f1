"""Import published weights as a model of this project: the command `autotagging import_weights`.

The weights are those of MusicTaggerCRNN (Choi, Fazekas, Sandler and Cho, "Convolutional Recurrent
Neural Networks for Music Classification", 2017), the network that the paper's follows, trained on
50 Last.fm tags of the Million Song Dataset. Their file is in the author's public repository,
keunwoochoi/music-auto_tagging-keras on GitHub, under the MIT licence.
"""

import csv
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from autotagging import models
from autotagging.common.errors import UserError
from autotagging.common.files import replacing, sha256, write_checksums
from autotagging.common.progress import native_log_hidden
from autotagging.common.versions import VERSIONS, versions, write_versions
from autotagging.mel.spectrogram import describe_front_end
from autotagging.models.stored import (
    WEIGHTS,
    architecture,
    save_model,
    set_weights,
    trainable_parameters,
    weights_of,
)
from autotagging.tools._keras_1 import read_arrays

if TYPE_CHECKING:
    import keras

_TAGS = Path(__file__).with_suffix(".csv")
_PUBLISHED = "df63638de9f3113780768181670c554f122fbd1297c63c065836d70a251115a8"
_SOURCE = "MusicTaggerCRNN, keunwoochoi/music-auto_tagging-keras on GitHub, MIT licence"
_FRONT_END = {
    "sample_rate": 12_000,
    "n_fft": 512,
    "hop_length": 256,
    "n_mels": 96,
    "seconds": 29.12,
    "log_scale": "squared_power_db",
}
_OPTIONS = {
    "padded_frames": 1440,
    "padding_side": "both",
    "padding_value": 0.0,
    "input_norm": "time",
    "batch_norm_momentum": 0.99,
    "pool_dropout": 0.1,
    "output_dropout": 0.3,
    "gru_reset_after": False,
    "gru_gates": "hard_sigmoid",
}
# What Keras 1 calls running_std is the variance.
_STATISTICS = {
    "gamma": "gamma",
    "beta": "beta",
    "moving_mean": "running_mean",
    "moving_variance": "running_std",
}
_FILTERS = (1, 64, 128, 128, 128)
_GRU_INPUTS = (128, 32)
_GRU_UNITS = 32
_GATES = "zrh"  # update, reset, candidate: the order of Keras 3, too


def import_weights(weights: Path, *, out: Path, threshold: float | None = None) -> None:
    """Make a model folder of the published weights of MusicTaggerCRNN (Million Song Dataset).

    The folder can be exported, tag music, and be what training starts from
    (train.crnn.start_from).

    Parameters
    ----------
    weights
        music_tagger_crnn_weights_tensorflow.h5, as published; only its arrays are read.
    out
        Output: folder of model.json, weights.npz, versions.json, SHA256SUMS, and per_tag.csv with
        the categories of the tags, where thresholds can be entered. Files that are there are
        replaced.
    threshold
        Score from which a tag is given, for all tags. Without it, 0.5, which few songs reach: no
        thresholds are published.

    Raises
    ------
    UserError
        The file is not such a file, h5py can't read it, or the threshold is not above 0 and at most
        1.
    """
    if threshold is not None and not 0 < threshold <= 1:
        raise UserError(f"--threshold {threshold:g}: expected a score above 0, at most 1")
    arrays = read_arrays(weights, _shapes())
    checksum = sha256(weights)
    if checksum != _PUBLISHED:
        print(
            f"warning: {weights} has the arrays of the published file, but is another "
            f"(SHA-256 {checksum[:12]}..., published {_PUBLISHED[:12]}...)",
            file=sys.stderr,
        )
    categories = _categories()
    network = _build(len(categories), dict(_converted(arrays)))
    files = {name: out / name for name in ("model.json", WEIGHTS, VERSIONS)}
    description = _describe(network, categories, checksum)
    save_model(files["model.json"], files[WEIGHTS], description, weights_of(network))
    write_versions(files[VERSIONS], *models.libraries("crnn"))
    write_checksums(out / "SHA256SUMS", files.values())
    _write_per_tag(out / "per_tag.csv", categories, threshold)
    print(
        f"{out}: {len(categories)} tags, {description['trainable_parameters']:,} parameters; no "
        f"thresholds are published: a tag is given from a score of {threshold or 0.5:g} on",
        file=sys.stderr,
    )


def _categories() -> dict[str, str]:
    """Read the tags of the published weights, in the order of the outputs, with a category each."""
    with _TAGS.open(encoding="utf-8", newline="") as file:
        return {row["tag"]: row["category"] for row in csv.DictReader(file)}


def _write_per_tag(path: Path, categories: Mapping[str, str], threshold: float | None) -> None:
    """Write category and threshold of each tag, as evaluate does; a person may edit this table."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["tag", "category", "threshold"])
        writer.writerows([tag, category, threshold] for tag, category in categories.items())


def _shapes() -> dict[str, dict[str, tuple[int, ...]]]:
    """Give the shapes of the arrays in the file, by layer and name."""
    norms = {"bn_0_freq": _OPTIONS["padded_frames"]}
    norms |= {f"bn{block}": filters for block, filters in enumerate(_FILTERS[1:], start=1)}
    shapes = {
        name: {f"{name}_{array}_1:0": (size,) for array in _STATISTICS.values()}
        for name, size in norms.items()
    }
    for block in range(1, len(_FILTERS)):
        name, (inputs, filters) = f"conv{block}", _FILTERS[block - 1 : block + 1]
        kernel = (filters, inputs, 3, 3)
        shapes[name] = {f"{name}_W_1:0": kernel, f"{name}_b_1:0": (filters,)}
    for layer, inputs in enumerate(_GRU_INPUTS, start=1):
        sizes = {"W": (inputs, _GRU_UNITS), "U": (_GRU_UNITS, _GRU_UNITS), "b": (_GRU_UNITS,)}
        shapes[f"gru{layer}"] = {
            f"gru{layer}_{array}_{gate}:0": size for array, size in sizes.items() for gate in _GATES
        }
    tags = len(_categories())
    shapes["output"] = {"output_W_1:0": (_GRU_UNITS, tags), "output_b_1:0": (tags,)}
    return shapes


def _converted(arrays: dict[str, np.ndarray]) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the weights of this project's CRNN, by layer and name, from those in the file."""
    norms = {"input_norm": "bn_0_freq"}
    norms |= {f"norm_{block}": f"bn{block}" for block in range(1, len(_FILTERS))}
    for layer, name in norms.items():
        for ours, theirs in _STATISTICS.items():
            yield f"{layer}/{ours}", arrays[f"{name}_{theirs}_1:0"]
    for block in range(1, len(_FILTERS)):
        kernel = arrays[f"conv{block}_W_1:0"].transpose(2, 3, 1, 0)
        yield f"conv_{block}/kernel", np.ascontiguousarray(kernel)
        yield f"conv_{block}/bias", arrays[f"conv{block}_b_1:0"]
    for layer in range(1, len(_GRU_INPUTS) + 1):
        for ours, theirs in {"kernel": "W", "recurrent_kernel": "U", "bias": "b"}.items():
            gates = [arrays[f"gru{layer}_{theirs}_{gate}:0"] for gate in _GATES]
            yield f"gru_{layer}/gru_cell/{ours}", np.concatenate(gates, axis=-1)
    yield "tags/kernel", arrays["output_W_1:0"]
    yield "tags/bias", arrays["output_b_1:0"]


def _build(n_tags: int, arrays: dict[str, np.ndarray]) -> "keras.Model":
    """Build the network; names, shapes and types of its weights must be those converted."""
    with native_log_hidden():
        shape = (_FRONT_END["n_mels"], describe_front_end(**_FRONT_END)["frames"])
        network = models.build("crnn", input_shape=shape, n_tags=n_tags, **_OPTIONS)
    set_weights(network, arrays)
    return network


def _describe(network: "keras.Model", tags: Iterable[str], checksum: str) -> dict[str, Any]:
    """Describe the model as `train` does, as far as is known."""
    from autotagging.training.costs import multiply_adds

    return {
        "model": "crnn",
        "seed": None,
        "corpus": "Million Song Dataset",
        "split": "keunwoochoi/MSD_split_for_tagging on GitHub",
        "options": _OPTIONS,
        "trainable_parameters": trainable_parameters(network),
        "multiply_adds": multiply_adds(network),
        "input_shape": list(network.input_shape[1:]),
        "windows": 1,
        "architecture": architecture(network),
        "front_end": describe_front_end(**_FRONT_END),
        "trained_on": {"source": _SOURCE, "weights_file_sha256": checksum},
        "versions": versions(*models.libraries("crnn")),
        "tags": [*tags],
        "thresholds": "not published",
    }
