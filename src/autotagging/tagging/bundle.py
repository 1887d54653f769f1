"""A tagger: a network with its front end, tags and thresholds, loaded from what `export` writes.

A bundle is a folder with bundle.json, model.onnx and mel.npz. It needs ONNX Runtime and NumPy, and
none of the libraries of the pipeline.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from autotagging.common.errors import UserError
from autotagging.common.files import (
    CHECKSUMS,
    check_entries,
    load_arrays,
    read_json,
    sha256,
    write_json,
)
from autotagging.dataset.windows import Windows
from autotagging.tagging.bundle_values import fault
from autotagging.tagging.front_end import LightFrontEnd, window_samples
from autotagging.tagging.runtime import onnx_runtime
from autotagging.tagging.trained import (
    find_trained,
    read_trained,
    score_with_keras,
    trained_files,
)

BUNDLE, NETWORK, FILTERS = "bundle.json", "model.onnx", "mel.npz"
DEFAULT_THRESHOLD = 0.5
"""Threshold of tags for which none has been chosen on validation clips."""

_TYPES = {"model": str, "seed": int | None, "digest": str, "tags": list, "categories": dict}
_TYPES |= {"thresholds": dict, "input_shape": list, "windows": dict | None, "sha256": dict}
_TYPES["front_end"] = dict.fromkeys(("sample_rate", "n_fft", "hop_length", "n_mels"), int)
_TYPES["front_end"] |= {"seconds": int | float, "log_scale": str}


@dataclass(frozen=True)
class Description:
    """What a tagger is, without its network.

    Attributes
    ----------
    model, seed
        Name of the model, such as "crnn", and seed of its training; None if it is not known.
    digest
        SHA-256 of the trained weights: the same for a bundle and the model that it was made from.
    tags
        Tags in the order of the scores.
    categories
        Category by tag, such as genre, mood or instrument; empty if not known.
    thresholds
        Threshold by tag, chosen on validation clips; tags that are missing have 0.5.
    front_end
        Settings of the front end, see `LightFrontEnd`.
    input_shape
        Shape of an input of the network: (mel bins, frames).
    windows
        How the spectrogram of a window of a song is cut for a network that reads shorter ones.
    """

    model: str
    seed: int | None
    digest: str
    tags: tuple[str, ...]
    front_end: Mapping[str, Any]
    input_shape: tuple[int, ...]
    categories: Mapping[str, str] = field(default_factory=dict)
    thresholds: Mapping[str, float] = field(default_factory=dict)
    windows: Windows | None = None

    def threshold(self, tag: str) -> float:
        """Score from which a tag is given."""
        return self.thresholds.get(tag, DEFAULT_THRESHOLD)

    def chosen(self, scores: Mapping[str, float]) -> list[str]:
        """Tags with a score at or above their threshold, the highest score first."""
        above = [tag for tag in self.tags if scores[tag] >= self.threshold(tag)]
        return sorted(above, key=lambda tag: -scores[tag])

    @property
    def sample_rate(self) -> int:
        """Sample rate of the windows, in Hz."""
        return self.front_end["sample_rate"]

    @property
    def window_samples(self) -> int:
        """Samples of a window of a song: 349,440 in the paper."""
        return window_samples(self.front_end)

    @property
    def window_seconds(self) -> float:
        """Length of a window of a song: 29.12 in the paper."""
        return self.window_samples / self.sample_rate


@dataclass(frozen=True)
class Tagger:
    """A tagger that can score.

    Attributes
    ----------
    description
        What it is.
    front_end
        Its front end.
    network
        Function from spectrograms, float32, (batch, mel bins, frames), to scores, (batch, tags).
    """

    description: Description
    front_end: LightFrontEnd
    network: Callable[[np.ndarray], np.ndarray]

    def scores(self, waveform: np.ndarray) -> np.ndarray:
        """Score one window of a song: float32, (tags,), each from 0 to 1.

        Parameters
        ----------
        waveform : float32, (samples,)
            At the sample rate of the front end, with its number of samples, from -1 to 1.

        Raises
        ------
        ValueError
            The waveform has another number of samples, whole numbers, or samples that are not
            finite.
        """
        self._check(waveform)
        mel = self.front_end.log_mel(waveform)[None]
        if self.description.windows:
            mel = self.description.windows.even(mel)[0]
        return self.network(mel).mean(axis=0)

    def _check(self, waveform: np.ndarray) -> None:
        """Raise ValueError if a waveform is not one window of a song."""
        samples, rate = self.description.window_samples, self.description.sample_rate
        expected = f"expected {samples} samples, {samples / rate:g} s at {rate} Hz, from -1 to 1"
        if waveform.shape != (samples,) or waveform.dtype.kind != "f":
            raise ValueError(
                f"waveform is {waveform.dtype} of shape {waveform.shape}; {expected}, as "
                "floating-point numbers"
            )
        if not np.isfinite(waveform).all():
            raise ValueError(f"waveform has NaN or infinite samples; {expected}")


def read_description(path: Path) -> Description:
    """Read what a tagger is, from a bundle or a model folder.

    Parameters
    ----------
    path
        Folder of a bundle, or its bundle.json; or the folder of a trained network, or its
        model.json, which needs the libraries of the pipeline.

    Raises
    ------
    UserError
        There is no model, it is damaged, or it is of a kind that can't tag audio.
    """
    if model_json := find_trained(path):
        return Description(**read_trained(model_json))
    return _read_bundle(_find_bundle(path))


def model_files(path: Path) -> list[Path]:
    """List the files that `read_description` and `load_tagger` read, which no output may replace.

    Parameters
    ----------
    path
        See `read_description`, which also lists the errors.
    """
    if model_json := find_trained(path):
        return trained_files(model_json)
    place = _find_bundle(path)
    return [place, *(place.with_name(name) for name in (NETWORK, FILTERS, CHECKSUMS))]


def load_tagger(path: Path | str, *, threads: int = 1) -> Tagger:
    """Load a tagger from a bundle or a model folder.

    Parameters
    ----------
    path
        See `read_description`, which also lists the errors.
    threads
        Threads of the network.
    """
    path = Path(path)
    if model_json := find_trained(path):
        description = Description(**read_trained(model_json))
        filters, network = score_with_keras(model_json, threads=threads)
    else:
        place = _find_bundle(path)
        description = _read_bundle(place)
        filters = _filters(place.with_name(FILTERS), description.front_end)
        network = _onnx_network(place.with_name(NETWORK), description, threads)
    return Tagger(description, LightFrontEnd(description.front_end, **filters), network)


def write_bundle(path: Path, description: Mapping[str, Any], files: Mapping[str, Path]) -> None:
    """Write bundle.json.

    Parameters
    ----------
    path
        File to write.
    description
        Arguments of `Description`.
    files
        The network and the filters by their names in the bundle.
    """
    windows = description["windows"]
    write_json(
        {
            **description,
            "windows": windows and {"frames": windows.frames, "scored": windows.scored},
            "window_seconds": description["front_end"]["seconds"],
            "sha256": {name: sha256(file) for name, file in files.items()},
        },
        path,
    )


def _find_bundle(path: Path) -> Path:
    place = path if path.name == BUNDLE else path / BUNDLE
    if place.is_file():
        return place
    if (path / NETWORK).exists():
        raise UserError(f"{path}: no {BUNDLE}; write it anew with `autotagging export`")
    raise UserError(
        f"{path}: neither a bundle, a folder that `autotagging export` writes, nor a trained model "
        "with its model.json"
    )


def _read_bundle(place: Path) -> Description:
    """Read and check bundle.json, and that the files next to it are those that it names."""
    content = read_json(place, **_TYPES)
    for name in (NETWORK, FILTERS):
        file = place.with_name(name)
        if not file.is_file() or sha256(file) != content["sha256"].get(name):
            raise UserError(f"{file}: not the file of {place}; export the model again")
    windows = content["windows"]
    if windows is not None:
        check_entries(windows, f"{place}: windows", {"frames": int, "scored": int | None})
    if wrong := fault(content):
        raise UserError(f"{place}: {wrong}")
    return Description(
        model=content["model"],
        seed=content["seed"],
        digest=content["digest"],
        tags=tuple(content["tags"]),
        categories=content["categories"],
        thresholds=content["thresholds"],
        front_end=content["front_end"],
        input_shape=tuple(content["input_shape"]),
        windows=windows and Windows(windows["frames"], scored=windows["scored"]),
    )


def _filters(path: Path, front_end: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Read the filters and the window of the front end."""
    arrays = load_arrays(path)
    n_mels, n_fft = front_end["n_mels"], front_end["n_fft"]
    expected = {"filters": (n_mels, 1 + n_fft // 2), "window": (n_fft,)}
    if {name: array.shape for name, array in arrays.items()} != expected or not all(
        array.dtype.kind == "f" and np.isfinite(array).all() for array in arrays.values()
    ):
        raise UserError(
            f"{path}: not the filters of the front end that {BUNDLE} describes; export the model "
            "again"
        )
    return arrays


def _onnx_network(path: Path, description: Description, threads: int) -> Callable:
    """Make the function from spectrograms to scores."""
    try:
        onnxruntime = onnx_runtime()
    except ImportError as error:
        raise UserError(
            f"{path}: it needs onnxruntime ({error}): pip install 'autotagging[tag]'"
        ) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors
    session = onnxruntime.InferenceSession(
        os.fspath(path), options, providers=["CPUExecutionProvider"]
    )
    arrays = (*session.get_inputs(), *session.get_outputs())
    found = [(array.name, array.shape[1:]) for array in arrays]
    expected = [("log_mel", [*description.input_shape]), ("tags", [len(description.tags)])]
    if found != expected:
        raise UserError(f"{path}: not the network that {BUNDLE} describes; export the model again")
    return lambda mel: session.run(["tags"], {"log_mel": mel})[0]
