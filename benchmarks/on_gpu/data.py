"""Made-up clips: spectrograms of noise whose mean carries the labels."""

import numpy as np

from on_gpu.sizes import MEL_BINS, TAGS

_SHARE = 0.054  # of labels that are 1, as in MagnaTagATune
_LEVEL, _ERROR = 6.0, 2.0  # dB: standard deviations of the clips' levels, and of the tags' errors


def batch(clips: int, frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Make one batch of noise.

    Returns
    -------
    mel : float16, (clips, mel bins, frames)
        In dB.
    labels : float32, (clips, tags)
        0 and 1, with the density of MagnaTagATune's.
    """
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((clips, MEL_BINS, frames), np.float32)
    labels = rng.random((clips, TAGS)) < _SHARE
    return (15 * noise - 30).astype(np.float16), labels.astype(np.float32)


def make_levels(clips: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw how loud each clip is, and the labels that follow from it.

    A tag says that a clip is louder than some level, or quieter, give or take an error.

    Returns
    -------
    levels : float32, (clips,)
        Mean of the spectrogram in dB, relative to that of all clips.
    labels : float32, (clips, tags)
        0 and 1; each tag is there and not there in some clip.
    """
    rng = np.random.default_rng(1)
    levels = rng.normal(0, _LEVEL, clips)
    noisy = levels[:, None] + rng.normal(0, _ERROR, (clips, TAGS))
    noisy *= np.where(np.arange(TAGS) % 2, 1, -1)  # louder, quieter
    ranks = noisy.argsort(axis=0).argsort(axis=0)
    counts = np.maximum(1, np.geomspace(0.2, 0.01, TAGS) * clips).astype(int)
    labels = ranks >= clips - counts
    return levels.astype(np.float32), labels.astype(np.float32)
