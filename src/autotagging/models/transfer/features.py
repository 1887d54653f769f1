"""Hidden units of a network that is trained on the source's labels, mean over a clip's windows."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from autotagging.common.errors import UserError
from autotagging.common.files import read_json, sha256
from autotagging.dataset.store import MelStore, read_front_end
from autotagging.dataset.subsets import read_labels
from autotagging.features.codebook import fit_codebook, multiply_adds, window_maxima
from autotagging.features.logistic import choose_logistic
from autotagging.features.pyramid import Representation
from autotagging.features.standardize import fit_scale, scaled

STRENGTHS = (1.0, 0.1, 0.01, 0.001, 0.0001)
"""Factors of the L2 penalty that are compared on the validation clips; see `fit_logistic`."""

_OTHER_TAGS = "other_tags"

Control = Literal["none", "features", "random"]

encode_transfer = window_maxima


def fit_transfer(
    clips: Any,
    *,
    seed: int,
    keep: Callable,
    representation: Representation,
    n_levels: int,
    n_means: int,
    sample_frames: int,
    retain: float,
    epsilon: float,
    iterations: int,
    pool_frames: int,
    source: str,
    control: Control,
) -> dict[str, np.ndarray]:
    """Fit the codebook to the source, in one pass through it.

    Parameters
    ----------
    clips
        Training clips; see `models.FeatureModel`.
    seed, keep
        See `models.FeatureModel`.
    representation, n_levels, n_means, sample_frames, retain, epsilon, iterations, pool_frames
        See `features.codebook.fit_codebook`.
    source
        "other_tags", which are the training clips with the tags outside the kept ones; or the
        results folder of this pipeline for another corpus, all of whose clips are the source.
    control
        "none"; or what replaces the trained source network: nothing, so that the classifier reads
        the windows' features ("features"), or one with its initial weights ("random").

    Returns
    -------
    arrays
        Those of `fit_codebook`.

    Raises
    ------
    UserError
        The source has no tag with positives, is no results folder, is this corpus, or has another
        front end.
    """
    clips, of_source = _source(clips, source)
    if control == "none":
        _check_tags(clips.labels, source)
    return fit_codebook(
        clips,
        seed=seed,
        keep=lambda stage, compute: keep(stage + of_source, compute),
        representation=representation,
        n_levels=n_levels,
        n_means=n_means,
        sample_frames=sample_frames,
        retain=retain,
        epsilon=epsilon,
        iterations=iterations,
        pool_frames=pool_frames,
    )


def fit_encoded_transfer(
    clips: Any,
    encoded: Any,
    arrays: Mapping[str, np.ndarray],
    *,
    seed: int,
    keep: Callable,
    representation: Representation,
    pool_frames: int,
    source: str,
    control: Control,
    hidden: int,
    dropout: float,
) -> dict[str, np.ndarray]:
    """Fit scale and source network to the stored features of the source.

    Another corpus's are computed here, into a file of their own: 4 x windows x features bytes per
    clip (2.1 GB for 19,773 clips of 9 windows and 3,000 features).

    Parameters
    ----------
    clips, encoded, arrays, seed, keep
        See `models.FeatureModel`.
    representation, pool_frames, source, control
        See `fit_transfer`.
    hidden, dropout
        Units and dropout rate of the source network's hidden layer.

    Returns
    -------
    arrays
        Those of `fit_scale`; and, unless control is "features", kernel, float32, (features,
        hidden), and bias, float32, (hidden,).
    """
    clips, of_source = _source(clips, source)
    name = "source" + of_source
    if of_source:
        cut = {"representation": representation, "pool_frames": pool_frames}
        encoded = clips.stored(name, lambda mel: encode_transfer(mel, arrays, **cut))
    scale = fit_scale(
        clips,
        encoded,
        arrays,
        seed=seed,
        keep=lambda stage, compute: keep(stage + of_source, compute),
    )
    if control == "features":
        return scale
    layer = {"hidden": hidden, "dropout": dropout, "seed": seed}

    def learn() -> dict[str, np.ndarray]:
        network = _network(clips, scale, **layer)
        inputs = encoded.finished(lambda windows: scaled(windows, scale))
        clips.learn(name, network, inputs, clips.labels)
        return _hidden_layer(network)

    if control == "random":
        return scale | keep("random", lambda: _hidden_layer(_network(clips, scale, **layer)))
    return scale | keep("hidden" + of_source, learn)


def _source(clips: Any, source: str) -> tuple[Any, str]:
    """Give the clips of the source with its labels, and a mark for the names of stored stages.

    The mark changes with the contents of another corpus, which a stopped training does not know.
    """
    if source == _OTHER_TAGS:
        return replace(clips, labels=_with_positives(clips.other_labels)), ""
    folder = Path(source)
    if not folder.is_dir():
        raise UserError(
            f"params.yaml: train.transfer.source: {source} is neither {_OTHER_TAGS} nor a folder"
        )
    summary, table = folder / "extract_mel/summary.csv", folder / "merge_tags/labels.csv"
    _check_audio(folder / "download/audio.json", clips.audio_sha256)
    _check_front_end(folder / "extract_mel/front_end.json", clips.front_end)
    store, labels = MelStore(summary), read_labels(table).drop(columns="mp3_path")
    labels = labels[labels.index.isin(store.clip_ids)]
    if labels.empty:
        raise UserError(f"{table}: no clip has a spectrogram in {summary}")
    other = replace(
        clips,
        clip_ids=labels.index.to_numpy(),
        labels=_with_positives(labels.to_numpy(np.float32)),
        other_labels=None,
        gather=store.gather,
    )
    return other, f"-{sha256(table)[:8]}-{sha256(summary)[:8]}"


def _with_positives(labels: np.ndarray) -> np.ndarray:
    return labels[:, labels.any(axis=0)]


def _check_audio(path: Path, ours: str) -> None:
    """Raise a UserError if the source is this corpus, whose test clips would be learnt from."""
    if read_json(path, sha256=str)["sha256"] == ours:
        raise UserError(
            f"{path}: the same audio as this corpus, test clips included; set "
            f"train.transfer.source to the results of another corpus, or to {_OTHER_TAGS}"
        )


def _check_front_end(path: Path, ours: Mapping[str, Any]) -> None:
    """Raise a UserError if the source's spectrograms have other settings than the corpus's."""
    theirs = read_front_end(path)
    for name, value in ours.items():
        if theirs.get(name) != value:
            raise UserError(
                f"{path}: {name} is {theirs.get(name)}, but {value} for this corpus; the source of "
                "model 'transfer' must have the same settings of extract_mel"
            )


def _check_tags(labels: np.ndarray, source: str) -> None:
    """Say how much the source has; raise a UserError if it has no tag."""
    clips, tags = labels.shape
    if not tags:
        raise UserError(
            "model 'transfer' has nothing to learn from: no training clip has a tag outside the "
            "kept ones; set train.transfer.source to the results folder of another corpus, a lower "
            "merge_tags.n_tags, or train.transfer.control"
            if source == _OTHER_TAGS
            else f"{source}: no clip with a spectrogram has a tag"
        )
    print(
        f"source {source}: {clips} clips, {tags} tags, {int(labels.sum())} positives",
        file=sys.stderr,
    )


def _network(clips: Any, arrays: Mapping[str, np.ndarray], **layer: Any) -> Any:
    """Build the source network on the devices of the training."""
    from autotagging.models.transfer.network import build_source

    n_tags = max(clips.labels.shape[1], 1)  # a random network needs no labels
    with clips.devices.scope():
        return build_source(n_features=len(arrays["mean"]), n_tags=n_tags, **layer)


def _hidden_layer(network: Any) -> dict[str, np.ndarray]:
    kernel, bias = network.get_layer("hidden_1").get_weights()
    return {"kernel": kernel, "bias": bias}


def finish_transfer(encoded: np.ndarray, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    """Compute a clip's features: float32, (1, hidden), or (1, levels x means) without a network.

    They are means over the clip's windows; those of hidden units are at least 0.
    """
    windows = scaled(encoded, arrays)
    if "kernel" in arrays:
        windows = np.maximum(windows @ arrays["kernel"] + arrays["bias"], 0)
    return windows.mean(axis=0, keepdims=True)


def solve_transfer(
    train: np.ndarray,
    labels: np.ndarray,
    validation: np.ndarray,
    validation_labels: np.ndarray,
) -> list[np.ndarray]:
    """Fit the regressions: kernel, (features, tags), and bias, (tags,).

    The penalty is the one of `STRENGTHS` with the lowest validation loss; features are standardized
    by the training clips. See `features.logistic.choose_logistic`.
    """
    fitted = choose_logistic(
        train[:, 0], labels, validation[:, 0], validation_labels, strengths=STRENGTHS
    )
    print(f"strength of the penalty: {fitted.strength:g}", file=sys.stderr)
    return [fitted.kernel, fitted.bias]


def multiply_adds_transfer(
    arrays: Mapping[str, np.ndarray],
    *,
    mel_bins: int,
    frames: int,
    representation: Representation,
    pool_frames: int,
) -> int:
    """Count the multiply-adds of the matrix products that give a clip's features."""
    encoding = multiply_adds(
        arrays,
        mel_bins=mel_bins,
        frames=frames,
        representation=representation,
        pool_frames=pool_frames,
    )
    windows = max(frames // pool_frames, 1)
    return encoding + windows * arrays["kernel"].size if "kernel" in arrays else encoding
