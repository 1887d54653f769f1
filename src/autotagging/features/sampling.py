"""Choose rows of clips at random, for fits that hold a sample in memory.

The rows of a clip depend on the seed and the clip's position alone. A sample of bounded size is
thus drawn in one pass, in any order of the clips::

    counts = rows_per_clip(n_clips, 100_000)
    sample = [frames[choose(seed, i, len(frames), counts[i])] for i, frames in enumerate(clips)]
"""

import numpy as np


def rows_per_clip(n_clips: int, n_rows: int) -> np.ndarray:
    """Divide a number of rows evenly among clips.

    Parameters
    ----------
    n_clips
        Number of training clips.
    n_rows
        Rows of the sample.

    Returns
    -------
    counts : int64, (n_clips,)
        Rows of each clip; their sum is `n_rows`. Where the division leaves a remainder, clips at
        equal distances have one more row.
    """
    bounds = np.arange(n_clips + 1, dtype=np.int64) * n_rows // max(n_clips, 1)
    return np.diff(bounds)


def choose(seed: int, clip: int, available: int, count: int) -> np.ndarray:
    """Choose rows of a clip at random, without replacement.

    Parameters
    ----------
    seed
        Seed of the sample.
    clip
        Position of the clip among the training clips.
    available
        Rows that the clip has.
    count
        Rows to choose; all rows of a clip that has fewer.

    Returns
    -------
    rows : int64, (min(count, available),)
        Positions of the rows in the clip, in increasing order.
    """
    rng = np.random.default_rng([seed, clip])
    chosen = rng.choice(available, min(count, available), replace=False, shuffle=False)
    return np.sort(chosen.astype(np.int64))
