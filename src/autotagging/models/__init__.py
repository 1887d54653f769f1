"""Registry of the models by name (sec. II.C); each model is a folder here.

`models/<name>/__init__.py` has a constant `READS` and imports no TensorFlow. With READS_DB = True,
a network takes only spectrograms in dB of power; models on features always do. With a function
`check_<name>(*, mel_bins, frames, ...)`, which also takes options and raises a UserError, the
workflow refuses spectrograms of other sizes before anything is computed. A constant `LIBRARIES`
names libraries that the model imports and others of its kind do not. The folder has

- for a network on spectrograms ("mel"), `build_<name>(*, input_shape, n_tags, precision, ...)` in
  `network.py`, which returns a functional keras.Model; with a constant `TRAINING_OPTIONS`, options
  that matter in training only, it can also start from stored weights;
- for a model on features that are fitted to the training clips ("features"), `encode_<name>` and
  the other functions of a `FeatureModel` in `features.py`, and `build_<name>` in `network.py`;
- for a model that reads tables, `fit_<name>`, `fits_<name>` and `score_<name>`, see `TableModel`.

Options are the entries of the section `train.<name>` in params.yaml: numbers, texts, true, false,
null, or lists of these. A parameter whose annotation is a Literal accepts no other value. A network
with an option `window_frames` is one of windows, see `dataset.windows.Windows`: it can also have
the options `windows_per_clip` (default: 1) and `score_windows` (default: null, as many as fit).
`build_<name>` is not given these three; its `input_shape` is that of a window.

Scores are from 0 to 1. The last layer of a network is dense, with a bias and a sigmoid; with
another, its training needs `output_bias: zero`. Weights are stored by the names of their layers, so
name the layers: those without a name are known by their order only. No two layers may have the same
name, not even in nested networks.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import partial
from importlib import import_module
from inspect import Parameter, signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

import numpy as np

from autotagging.common.errors import UserError
from autotagging.dataset.windows import Windows

if TYPE_CHECKING:
    import keras

MODELS = tuple(sorted(path.parent.name for path in Path(__file__).parent.glob("*/__init__.py")))
"""Names of all models."""


@dataclass(frozen=True)
class TableModel:
    """A model that knows only which track, album and artist a clip is of, with its options.

    `score` takes all options, `fit` those that it has parameters for.

    Attributes
    ----------
    fit
        Function (labels, groups) -> arrays by name. The labels of the training clips are 0 and 1,
        (clips, tags), groups their track, album and artist, (clips, 3), both indexed by clip_id.
    fits
        Function (arrays, n_tags=...) -> whether arrays have the names, types and shapes that `fit`
        gives.
    score
        Function (arrays, groups) -> scores from 0 to 1, float32, (clips, tags).
    """

    fit: Callable[..., dict[str, np.ndarray]]
    fits: Callable[..., bool]
    score: Callable[..., np.ndarray]


@dataclass(frozen=True)
class FeatureModel:
    """A model on features, with its options.

    Spectrograms are read for `fit`, and once more for `encode`, whose results are stored. What is
    fitted to these, such as a mean, is applied whenever they are read.

    Attributes
    ----------
    fit
        Function (clips, seed=..., keep=...) -> the arrays by name that `encode` needs; by default
        none. `clips.blocks()` yields float32 spectrograms of the training clips in dB, (clips, mel
        bins, frames), in the same order in each pass; `clips.labels` are their labels. `keep(name,
        compute)` returns the dictionary of arrays that `compute()` returns, or returned in an
        earlier run that was stopped.
    encode
        Function (mel, arrays) -> float32, (windows, ...), of one clip's float32 spectrogram in
        dB, (mel bins, frames).
    fit_encoded
        Function (clips, encoded, arrays, seed=..., keep=...) -> the further arrays that `finish`
        needs; by default none. `encoded` has what `encode` gave: `each(clip_ids)` yields one clip
        at a time, and `finished(function)` is a function from clip ids to float16, (clips, windows,
        ...), which `function` makes of each clip.
    finish
        Function (encoded, arrays) -> features, float32, (windows, ...), of one clip; by
        default those that `encode` gave.
    solve
        Function (train, labels, validation, validation_labels) -> weights in the order of the
        network, for a model that is not trained in epochs; else None. Features are float32,
        (clips, windows, ...).
    start
        Function (network, train, keep=..., seed=...) that sets a network's weights before the first
        epoch, or None. `train` is float16, (clips, windows, ...).
    multiply_adds
        Function (arrays, mel_bins=..., frames=...) -> multiply-adds of the matrix products in
        `encode` and `finish`; None: there are none.
    """

    fit: Callable[..., dict[str, np.ndarray]]
    encode: Callable[..., np.ndarray]
    fit_encoded: Callable[..., dict[str, np.ndarray]]
    finish: Callable[..., np.ndarray]
    solve: Callable[..., list[np.ndarray]] | None
    start: Callable[..., None] | None
    multiply_adds: Callable[..., int] | None

    def transform(self, mel: np.ndarray, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
        """Compute the features of one clip: float32, (windows, ...)."""
        return self.finish(self.encode(mel, arrays), arrays)


_DEFAULTS: dict[str, Callable] = {
    "fit": lambda *_, **__: {},
    "fit_encoded": lambda *_, **__: {},
    "finish": lambda encoded, _: encoded,
}


def reads(name: str) -> Literal["mel", "features", "tables"]:
    """Tell what a model reads.

    Spectrograms ("mel"), features of spectrograms ("features"), or groups of clips ("tables").

    Raises
    ------
    UserError
        There is no such model.
    """
    if name not in MODELS:
        raise UserError(f"unknown model {name!r}; the models are {', '.join(MODELS)}")
    return import_module(f"{__name__}.{name}").READS


def reads_spectrograms(name: str) -> bool:
    """Tell whether a model needs the spectrograms of the clips that it scores."""
    return reads(name) != "tables"


def reads_other_labels(name: str) -> bool:
    """Tell whether a model also learns from the tags that are not among the kept ones."""
    return getattr(import_module(f"{__name__}.{name}"), "READS_OTHER_LABELS", False)


def training_options(name: str) -> tuple[str, ...]:
    """Name a network's options that don't change the function of its weights.

    Raises
    ------
    UserError
        The model is not one that can start from stored weights.
    """
    options = getattr(import_module(f"{__name__}.{name}"), "TRAINING_OPTIONS", None)
    if options is None:
        raise UserError(f"model {name!r} can't start from the weights of another model")
    return options


def check_log_scale(name: str, log_scale: str) -> None:
    """Raise a UserError if a model takes its spectrograms as dB of power, and they are not."""
    module = import_module(f"{__name__}.{name}")
    takes_db = reads(name) == "features" or getattr(module, "READS_DB", False)
    if takes_db and log_scale != "power_db":
        raise UserError(
            f"model {name!r} computes power from dB, and extract_mel.log_scale is {log_scale}; set "
            "it to power_db"
        )


def check_input(name: str, options: Mapping[str, Any], *, mel_bins: int, frames: int) -> None:
    """Raise a UserError if a model does not take clips of this size; imports no Keras."""
    cut = windows(options)
    if cut and (cut.scored or 0) > frames:  # which no bundle may have
        raise UserError(f"score_windows is {cut.scored}, and a clip has {frames} frames")
    check = getattr(import_module(f"{__name__}.{name}"), f"check_{name}", None)
    if check is not None:
        _with_options(check, options)(mel_bins=mel_bins, frames=cut.frames if cut else frames)


def check_scores(name: str, scores: np.ndarray) -> None:
    """Raise a UserError unless all scores of a model are from 0 to 1."""
    if not ((scores >= 0) & (scores <= 1)).all():  # NaN is neither
        raise UserError(
            f"model {name!r}: its scores are from {scores.min():g} to {scores.max():g}, and must "
            "be from 0 to 1, as those of a sigmoid"
        )


def libraries(name: str) -> tuple[str, ...]:
    """Name the libraries that a trained model's bytes depend on: of its kind, and its own."""
    networks = ("keras", "scikit-learn", "tensorflow")
    added = {"tables": (), "mel": networks, "features": (*networks, "scipy")}
    own = getattr(import_module(f"{__name__}.{name}"), "LIBRARIES", ())
    return ("numpy", "pandas", *added[reads(name)], *own)


def required(path: Path | None, flag: str, model: str) -> Path:
    """Return the path of an input that this kind of model reads.

    Raises
    ------
    UserError
        The path is not given.
    """
    if path is None:
        raise UserError(f"model {model!r} needs {flag}")
    return path


def table_model(name: str, **options: Any) -> TableModel:
    """Find the functions of a model that reads "tables".

    Parameters
    ----------
    name
        A model that reads "tables".
    options
        Options of the model, as in `params.yaml: train.<name>`.

    Raises
    ------
    UserError
        There is no such model, it is a network, or it has no such option or choice.
    """
    if reads(name) != "tables":
        raise UserError(f"model {name!r} is a network: it reads spectrograms, not tables")
    module = import_module(f"{__name__}.{name}")
    fit, fits, score = (getattr(module, f"{verb}_{name}") for verb in ("fit", "fits", "score"))
    _check_options(name, score, (None, None), options)
    return TableModel(_with_options(fit, options), fits, partial(score, **options))


_WINDOW_OPTIONS = {
    "window_frames": "frames",
    "windows_per_clip": "per_clip",
    "score_windows": "scored",
}


def windows(options: Mapping[str, Any]) -> Windows | None:
    """Read how a network's clips are cut into windows from its options; None: they are not."""
    given = {
        field: options[name]
        for name, field in _WINDOW_OPTIONS.items()
        if options.get(name) is not None
    }
    return Windows(**given) if "frames" in given else None


def feature_model(name: str, **options: Any) -> FeatureModel:
    """Find the functions of a model that reads "features".

    Parameters
    ----------
    name
        A model that reads "features".
    options
        Options of the model, as in `params.yaml: train.<name>`; each function takes those that it
        has parameters for.

    Raises
    ------
    UserError
        There is no such model, it reads something else, none of its functions has an option, or an
        option is none of its choices.
    """
    if reads(name) != "features":
        raise UserError(f"model {name!r} has no features that are fitted")
    module = import_module(f"{__name__}.{name}.features")
    found = {
        verb: getattr(module, f"{verb}_{name}", _DEFAULTS.get(verb))
        for verb in (field.name for field in fields(FeatureModel))
    }
    builder = _builder(name)
    known = {parameter for f in (*found.values(), builder) if f for parameter in _keywords(f)}
    if unknown := {*options} - known - {"precision"}:
        raise UserError(f"model {name!r} has no option {min(unknown)!r}")
    for function in filter(None, (*found.values(), builder)):
        _check_choices(name, function, options)
    return FeatureModel(**{verb: f and _with_options(f, options) for verb, f in found.items()})


def _keywords(function: Callable) -> list[str]:
    """List the parameters of a function that are given by name only."""
    parameters = signature(function).parameters.values()
    return [each.name for each in parameters if each.kind is Parameter.KEYWORD_ONLY]


def _with_options(function: Callable, options: Mapping[str, Any]) -> Callable:
    """Fix those options that a function has parameters for."""
    return partial(function, **{k: v for k, v in options.items() if k in _keywords(function)})


def _check_options(
    name: str, function: Callable, arguments: tuple, options: dict[str, Any]
) -> None:
    """Raise a UserError unless a function of a model can be called with these options."""
    if unknown := {*options} - {*signature(function).parameters}:
        raise UserError(f"model {name!r} has no option {min(unknown)!r}")
    try:
        signature(function).bind(*arguments, **options)
    except TypeError as error:
        raise UserError(f"model {name!r}: {error}") from error
    _check_choices(name, function, options)


def _check_choices(name: str, function: Callable, options: Mapping[str, Any]) -> None:
    """Raise a UserError for an option that is none of the values that its annotation lists."""
    for option, value in options.items():
        parameter = signature(function).parameters.get(option)
        if parameter is None or get_origin(parameter.annotation) is not Literal:
            continue
        if value not in (choices := get_args(parameter.annotation)):
            raise UserError(
                f"model {name!r}: {option} is {value!r}; expected one of "
                f"{', '.join(map(str, choices))}"
            )


def build(name: str, *, input_shape: tuple[int, ...], n_tags: int, **options: Any) -> "keras.Model":
    """Build an untrained network.

    Parameters
    ----------
    name
        A model that reads "mel" or "features".
    input_shape
        Shape of an input: (mel bins, frames) of the log-mel spectrogram, in dB, of a clip or of a
        window; or that of a window's features: (features,) or (..., features).
    n_tags
        Number of outputs, each a probability.
    options
        Options of the model, as in `params.yaml: train.<name>`; and precision, Keras' dtype policy
        for the layers that may compute in 16 bits.

    Raises
    ------
    UserError
        There is no such network, it does not accept the input shape or an option, or two of its
        weights have the same name.
    """
    builder = _builder(name)
    if reads(name) == "features":
        feature_model(name, **options)  # finds unknown options
        options = {k: v for k, v in options.items() if k in _keywords(builder)}
    options = {k: v for k, v in options.items() if k not in _WINDOW_OPTIONS}
    options |= {"input_shape": input_shape, "n_tags": n_tags}
    _check_options(name, builder, (), options)
    network = builder(**options)
    paths = [weight.path for weight in network.weights]
    if len({*paths}) < len(paths):
        twice = next(path for path in paths if paths.count(path) > 1)
        raise UserError(f"model {name!r}: two weights are named {twice!r}; rename a layer")
    return network


def complete_options(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Add the options that a network has a default for, as a model that is older than they are."""
    parameters = signature(_builder(name)).parameters.values()
    return {each.name: each.default for each in parameters if each.default is not each.empty} | {
        **options
    }


def _builder(name: str) -> Callable[..., "keras.Model"]:
    """Find the function that builds a network; raise a UserError if the model is none."""
    if reads(name) == "tables":
        raise UserError(f"model {name!r} is not a network and can't be built")
    return getattr(import_module(f"{__name__}.{name}.network"), f"build_{name}")
