"""Patches of consecutive frames, and the onsets they begin at (Nam, Herrera and Lee 2015)."""

import numpy as np

from autotagging.features.compression import log_amplitude


def novelty(controlled: np.ndarray) -> np.ndarray:
    """Measure how much begins in each frame.

    Parameters
    ----------
    controlled : float32, (frames, mel bins)
        Gain-controlled amplitude of one clip; compressed here, to log10(1 + 100 x).

    Returns
    -------
    novelty : float32, (frames,)
        Rise since the previous frame, mean over the bins; falls count as 0, as does the first
        frame.
    """
    rise = np.maximum(np.diff(log_amplitude(controlled, factor=100.0), axis=0), 0)
    return np.concatenate([np.zeros(1, np.float32), rise.mean(axis=1)])


def onset_starts(
    novelty: np.ndarray, *, segment_frames: int = 47, patch_frames: int = 8, per_segment: int = 1
) -> np.ndarray:
    """Choose the patches that start at the onsets of each segment of a clip.

    The first is at the segment's greatest novelty, the others at the next-greatest peaks, and where
    there are too few peaks at the next-greatest frames. Of equals the earliest is taken, so the
    patch of a silent segment starts at its first frame.

    Parameters
    ----------
    novelty : (frames,)
    segment_frames
        Frames of a segment; segments do not overlap. A shorter last segment counts.
    patch_frames
        Frames of a patch, which must end within the clip; it may end after its segment.
    per_segment
        Patches per segment; fewer where a last segment has fewer places for one.

    Returns
    -------
    starts : integers, (patches,)
        First frames of the patches, ascending. None for a clip shorter than a patch.
    """
    places = novelty[: max(len(novelty) - patch_frames + 1, 0)]
    starts = [np.empty(0, int)]
    for first in range(0, len(places), segment_frames):
        segment = places[first : first + segment_frames]
        padded = np.concatenate([[-np.inf], segment, [-np.inf]])
        peaks = (segment > padded[:-2]) & (segment >= padded[2:])
        best = np.lexsort((-segment, ~peaks))[:per_segment]
        starts.append(first + np.sort(best))
    return np.concatenate(starts)


def all_patches(clip: np.ndarray, *, frames: int = 8) -> np.ndarray:
    """Give the patches of a clip that start at each of its frames, as a read-only view.

    Parameters
    ----------
    clip : (frames of the clip, bins)
        At least as long as a patch: see `clip_windows.repeated`.
    frames
        Frames of a patch.

    Returns
    -------
    patches : (frames of the clip - frames + 1, frames x bins)
        Each patch has all bins of its first frame, then all of its second, and so on.
    """
    n_bins = clip.shape[1]
    flat = np.ascontiguousarray(clip).reshape(-1)
    return np.lib.stride_tricks.sliding_window_view(flat, frames * n_bins)[::n_bins]
