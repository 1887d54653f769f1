"""Automatic gain control after Ellis, as Nam, Herrera and Lee (2015) use it (Table 4).

Each broad band is divided by its recent peak, so that a quiet passage, or a quiet register, has the
same range of values as a loud one.
"""

from functools import lru_cache

import numpy as np
import scipy.sparse

FLOOR = 0.026
"""Amplitude added to the envelopes: -32 dB, which is the source's 0.01 in the stored unit.

Both front ends read audio from -1 to 1. The source averages magnitudes, of spectra of 1024 samples
at 22,050 Hz; the stored amplitude is the root of an average of powers, of spectra of 512 samples at
12,000 Hz. Both averages are over filters of area 1 in Hz, whose weights sum to window length /
sample rate. For noise, 0.01 in the source is

- a mean magnitude of 0.01 x 22,050 / 1024 = 0.215, a power of 4 / pi x 0.215^2 = 0.059,
- a power of 0.059 x (512 x 12,000) / (1024 x 22,050) = 0.0161 in the shorter spectra,
- a stored amplitude of sqrt(0.0161 x 512 / 12,000) = 0.026.
"""

_QUIETEST = np.float32(1e-4)  # of the clip's maximum


def gain_controlled(
    amplitude: np.ndarray,
    *,
    n_bands: int = 10,
    release_frames: float = 0.5 * 12_000 / 256,
    floor: float = FLOOR,
) -> np.ndarray:
    """Divide a clip by the envelopes of broad bands.

    An envelope follows a rise at once, and decays by a factor e in the release time. Where it is
    far above the floor, the gain of the clip cancels out: levels near the floor are reduced.

    Parameters
    ----------
    amplitude : float32, (frames, mel bins)
        Amplitude of one clip: root of the stored power. A ten-thousandth of the clip's maximum is
        added, so that gaps in the clip do not reach 0.
    n_bands
        Number of bands, equally spaced over the mel bins.
    release_frames
        Release time, in frames; 0.5 s by default.
    floor
        Amplitude added to the envelopes. Digital silence is divided by it alone.

    Returns
    -------
    controlled : float32, (frames, mel bins)
        Finite, and at least 0; about 1 at the peaks of a loud band.

    Raises
    ------
    ValueError
        The number of bands is below 1.
    """
    if n_bands < 1:
        raise ValueError(f"n_bands is {n_bands}; expected at least 1")
    raised = amplitude + _QUIETEST * amplitude.max()
    bank, spread = _bank(n_bands, amplitude.shape[1])
    envelopes = peak_hold((bank @ raised.T).T, release_frames=release_frames)
    return (raised / ((spread @ envelopes.T).T + floor)).astype(np.float32)


def peak_hold(bands: np.ndarray, *, release_frames: float) -> np.ndarray:
    """Follow the peaks of bands: the greater of the band and of the decayed previous envelope.

    Parameters
    ----------
    bands : (frames, bands)
        At least 0.
    release_frames
        Frames in which an envelope decays by a factor e.

    Returns
    -------
    envelopes : float64, (frames, bands)
    """
    # In the log domain the decay is a straight line: added, it leaves a running maximum.
    decay = np.arange(len(bands))[:, None] / release_frames
    with np.errstate(divide="ignore"):  # silence: exp(-inf) is 0 again
        level = np.log(bands.astype(np.float64))
    return np.exp(np.maximum.accumulate(level + decay, axis=0) - decay)


@lru_cache
def _bank(n_bands: int, n_bins: int) -> tuple[scipy.sparse.csr_array, scipy.sparse.csr_array]:
    """Make the bank that averages bins into bands, and the one that spreads bands over bins.

    The triangles are twice as wide as those that end at the next centres. The weights of a band
    sum to 1 in the first, (bands, bins), and those of a bin in the second, (bins, bands). Products
    of sparse matrices have a fixed order of summation.
    """
    spacing = (n_bins + 1) / (n_bands + 1)
    centres = spacing * np.arange(1, n_bands + 1)
    distance = np.abs(np.arange(1, n_bins + 1) - centres[:, None])
    triangles = np.maximum(0, 1 - distance / (2 * spacing))
    bank = triangles / triangles.sum(axis=1, keepdims=True)
    return scipy.sparse.csr_array(bank), scipy.sparse.csr_array((bank / bank.sum(axis=0)).T)
