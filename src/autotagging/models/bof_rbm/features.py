"""Features of a clip by an RBM of patches, and first weights of the network by RBMs of clips."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy.special import expit

from autotagging.common.progress import progress
from autotagging.features.clip_windows import repeated
from autotagging.features.compression import amplitude, log_amplitude
from autotagging.features.gain_control import gain_controlled
from autotagging.features.patches import all_patches, novelty, onset_starts
from autotagging.features.pooling import segment_maxima
from autotagging.features.rbm import RBMSettings, hidden, train_rbm
from autotagging.features.sampling import choose, rows_per_clip
from autotagging.features.whitening import Moments, whiten, whitening

if TYPE_CHECKING:
    import keras

PATCH_FRAMES = 8
"""Frames of a patch, 171 ms; the source's patches are of 186 ms."""

_SECOND = 47  # frames in which one onset is chosen first
_WHITENED = 8192  # patches that are whitened at a time

_PATCHES = {"kind": "gaussian_binary", "learning_rate": 0.007, "min_learning_rate": 0.003}
_CLIPS = {"kind": "sigmoid_relu", "learning_rate": 0.03, "min_learning_rate": 0.01}
_UNITS = {"kind": "relu_relu", "learning_rate": 0.003, "min_learning_rate": 0.001}


def fit_bof_rbm(
    clips: Any,
    *,
    seed: int,
    keep: Callable,
    agc: bool,
    sampling: Literal["onset", "random"],
    n_patches: int,
    retain: float,
    epsilon: float,
    n_hidden: int,
    rbm_epochs: int,
    sparsity_target: float,
) -> dict[str, np.ndarray]:
    """Sample patches of the training clips in one pass, whiten them, and train the RBM on them.

    Memory: 3.2 kB per patch of the sample while it is drawn, 0.6 GB for 200,000; then 0.4 kB.

    Parameters
    ----------
    clips
        Training clips, of which only `blocks()` and the number are used: no labels.
    seed
        Seed of the sample and of the RBM.
    keep
        See `models.FeatureModel`.
    agc
        Whether the gain is controlled.
    sampling
        Sample patches at the greatest onsets of each second ("onset"), or at any frame ("random").
    n_patches
        Patches of the sample, evenly divided among the clips; fewer if the clips have fewer.
    retain, epsilon
        See `features.whitening`.
    n_hidden
        Hidden units of the RBM.
    rbm_epochs
        Passes through the sample; more for at least 3,000 updates.
    sparsity_target
        Mean activation of each hidden unit.

    Returns
    -------
    arrays
        mean, (8 x mel bins,), and matrix, (8 x mel bins, components), of the whitening; weights,
        (components, n_hidden), and bias, (n_hidden,), of the RBM; float32.

    Raises
    ------
    UserError
        The sample does not vary, or the RBM diverges.
    """

    def draw() -> dict[str, np.ndarray]:
        counts = rows_per_clip(len(clips), n_patches)
        mels = (mel for block in clips.blocks() for mel in block)
        sample = np.concatenate(
            [
                _sample(mel, seed, clip, int(counts[clip]), agc=agc, sampling=sampling)
                for clip, mel in enumerate(mels)
            ]
        )
        return _whitened(sample, retain=float(retain), epsilon=epsilon)

    sample = keep("sample", draw)
    settings = RBMSettings(
        **_PATCHES,
        n_hidden=n_hidden,
        epochs=rbm_epochs,
        min_updates=3000,
        sparsity_target=sparsity_target,
    )
    rbm = _train(sample["whitened"], settings, seed, keep, name="patches")
    return {
        "mean": sample["mean"],
        "matrix": sample["matrix"],
        "weights": rbm["weights"],
        "bias": rbm["hidden_bias"],
    }


def encode_bof_rbm(
    mel: np.ndarray, arrays: Mapping[str, np.ndarray], *, agc: bool, segment_frames: int
) -> np.ndarray:
    """Compute a clip's features: float32, (1, n_hidden), from 0 to 1.

    The probability of each hidden unit in each patch of the clip; then its maximum over segments of
    patches, of which the last may be shorter; then the mean over the segments. The sigmoid is
    monotone, so it is computed on the maxima only.

    Whitening and RBM are two products: one matrix for both would take more operations, as there
    are far fewer components than values in a patch.
    """
    patches = _patches(_controlled(mel, agc=agc))
    totals = whiten(patches, arrays["mean"], arrays["matrix"]) @ arrays["weights"]
    activations = expit(segment_maxima(totals, segment_frames) + arrays["bias"])
    return activations.mean(axis=0, keepdims=True)


def multiply_adds_bof_rbm(arrays: Mapping[str, np.ndarray], *, mel_bins: int, frames: int) -> int:
    """Count the multiply-adds of the matrix products that transform a clip."""
    n_patches = max(frames - PATCH_FRAMES, 0) + 1
    components, n_hidden = arrays["weights"].shape
    return n_patches * components * (PATCH_FRAMES * mel_bins + n_hidden)


def start_bof_rbm(
    network: "keras.Model",
    train: np.ndarray,
    *,
    seed: int,
    keep: Callable,
    pretrain: bool,
    pretrain_epochs: int,
) -> None:
    """Set the hidden layers to RBMs, each trained on the outputs of the layer before it.

    Parameters
    ----------
    network
        Network from `build_bof_rbm`. Its last layer is left as it is.
    train : float16, (clips, 1, features)
        Features of the training clips.
    seed
        Seed of the RBMs.
    keep
        See `models.FeatureModel`.
    pretrain
        Whether to change anything.
    pretrain_epochs
        Passes of each RBM through the training clips.

    Raises
    ------
    UserError
        An RBM diverges.
    """
    if not pretrain:
        return
    data = train[:, 0].astype(np.float32)
    layers = [layer for layer in network.layers if layer.name.startswith("hidden_")]
    for layer in layers:
        settings = RBMSettings(
            **_CLIPS if layer is layers[0] else _UNITS,
            n_hidden=layer.units,
            epochs=pretrain_epochs,
        )
        rbm = _train(data, settings, seed, keep, name=layer.name)
        layer.set_weights([rbm["weights"], rbm["hidden_bias"]])
        data = hidden(data, rbm["weights"], rbm["hidden_bias"], settings.kind)


def _controlled(mel: np.ndarray, *, agc: bool) -> np.ndarray:
    """Give the amplitude, with the gain controlled or not, of at least one patch of frames."""
    levels = repeated(amplitude(mel), PATCH_FRAMES)
    return gain_controlled(levels) if agc else levels


def _patches(controlled: np.ndarray) -> np.ndarray:
    return all_patches(log_amplitude(controlled), frames=PATCH_FRAMES)


def _sample(
    mel: np.ndarray,
    seed: int,
    clip: int,
    count: int,
    *,
    agc: bool,
    sampling: Literal["onset", "random"],
) -> np.ndarray:
    """Sample patches of the clip at a position: float16, (count, values); all, if it has fewer."""
    controlled = _controlled(mel, agc=agc)
    patches = _patches(controlled)
    starts = np.arange(len(patches))
    if sampling == "onset":
        n_segments = -(-len(patches) // _SECOND)
        starts = onset_starts(
            novelty(controlled),
            segment_frames=_SECOND,
            patch_frames=PATCH_FRAMES,
            per_segment=-(-count // n_segments),
        )
    return patches[starts[choose(seed, clip, len(starts), count)]].astype(np.float16)


def _whitened(sample: np.ndarray, *, retain: float, epsilon: float) -> dict[str, np.ndarray]:
    """Whiten the sample: arrays mean, matrix and, in float16, whitened."""
    moments = Moments.zero(sample.shape[1])
    moments.add(sample)
    mean, matrix = whitening(moments, retain=retain, epsilon=epsilon)
    starts = range(0, len(sample), _WHITENED)
    parts = (sample[start : start + _WHITENED] for start in starts)
    whitened = np.concatenate([whiten(part, mean, matrix).astype(np.float16) for part in parts])
    return {"mean": mean, "matrix": matrix, "whitened": whitened}


def _train(
    data: np.ndarray, settings: RBMSettings, seed: int, keep: Callable, *, name: str
) -> dict[str, np.ndarray]:
    """Train an RBM: its arrays by name."""
    shown = partial(progress, label=f"RBM of {name}, epoch")

    def keep_part(part: str, compute: Callable) -> dict[str, np.ndarray]:
        return keep(f"rbm-{name}-{part}", compute)

    return keep(f"rbm-{name}", lambda: train_rbm(data, settings, seed, shown, keep_part)._asdict())
