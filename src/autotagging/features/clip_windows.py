"""Cut a clip into windows; all arrays are time-major, with frames as first axis."""

import numpy as np

from autotagging.common.errors import UserError


def repeated(clip: np.ndarray, frames: int) -> np.ndarray:
    """Repeat a clip that is shorter than a window up to exactly one window.

    Parameters
    ----------
    clip : (frames of the clip, ...)
        At least one frame.
    frames
        Frames of a window.

    Returns
    -------
    clip : (at least `frames`, ...)
        The same array if the clip is long enough.
    """
    if len(clip) >= frames:
        return clip
    return np.take(clip, np.arange(frames), axis=0, mode="wrap")


def whole_windows(clip: np.ndarray, frames: int) -> np.ndarray:
    """Cut a clip into windows that do not overlap.

    Frames that remain at the end are left out; a shorter clip is repeated up to one window.

    Parameters
    ----------
    clip : (frames of the clip, bins)
    frames
        Frames of a window.

    Returns
    -------
    windows : (windows, frames, bins)
    """
    clip = repeated(clip, frames)
    n_windows = len(clip) // frames
    return clip[: n_windows * frames].reshape(n_windows, frames, *clip.shape[1:])


def overlapping_windows(clip: np.ndarray, frames: int, *, hop: int) -> np.ndarray:
    """Cut a clip into windows that begin every `hop` frames, as a read-only view.

    Only whole windows are given; a shorter clip is repeated up to one window.

    Parameters
    ----------
    clip : (frames of the clip, bins)
    frames
        Frames of a window.
    hop
        Frames from the beginning of a window to that of the next.

    Returns
    -------
    windows : (windows, frames, bins)

    Raises
    ------
    ValueError
        The hop is below 1.
    """
    if hop < 1:
        raise ValueError(f"hop is {hop} frames; expected at least 1")
    view = np.lib.stride_tricks.sliding_window_view(repeated(clip, frames), frames, axis=0)
    return view[::hop].swapaxes(1, 2)


def cuts(times: np.ndarray, window_frames: int, *, n_windows: int) -> np.ndarray:
    """Cut a series of frames at the same times as the windows of the clip.

    Window w has the frames whose time is at least w and below w + 1 windows: one frame more in
    some windows than in others where the length of a window is no multiple of the step.

    Parameters
    ----------
    times : (frames,)
        Time of each frame, in frames of the clip, ascending.
    window_frames
        Length of a window, in frames of the clip.
    n_windows
        Number of windows; they do not overlap, and the first begins at time 0.

    Returns
    -------
    cuts : integers, (n_windows + 1,)
        Window w has the frames from cuts[w] up to cuts[w + 1], without the last.

    Raises
    ------
    UserError
        A window would have no frame.
    """
    found = np.searchsorted(times, np.arange(n_windows + 1) * window_frames)
    if (np.diff(found) == 0).any():
        raise UserError(
            f"windows of {window_frames} frames are too short for a level with "
            f"{len(times)} frames per clip: set fewer levels or longer windows"
        )
    return found
