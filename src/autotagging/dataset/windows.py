"""Windows of a clip's spectrogram: random ones for training, evenly spread ones for scores."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Windows:
    """How clips are cut into windows for a network that reads windows.

    Attributes
    ----------
    frames
        Frames of a window. A clip that is shorter is repeated.
    per_clip
        Windows of each clip in each epoch of training, at random places.
    scored
        Windows of a clip whose scores are averaged, evenly spread; None: as many as fit one after
        another.
    """

    frames: int
    per_clip: int = 1
    scored: int | None = None

    def random(self, mel: np.ndarray, clip_ids: np.ndarray, *, seed: int, epoch: int) -> np.ndarray:
        """Cut windows at random places, which depend on seed, epoch and clip only.

        Parameters
        ----------
        mel : (clips, mel bins, frames)
        clip_ids : (clips,)
        seed, epoch

        Returns
        -------
        windows : (clips, windows per clip, mel bins, frames of a window)
        """
        mel = self._long_enough(mel)
        places = mel.shape[-1] - self.frames + 1
        starts = np.stack(
            [
                np.random.default_rng([seed, epoch, int(clip)]).integers(places, size=self.per_clip)
                for clip in clip_ids
            ]
        )
        return self._cut(mel, starts)

    def even(self, mel: np.ndarray) -> np.ndarray:
        """Cut the windows whose scores are averaged.

        Parameters
        ----------
        mel : (clips, mel bins, frames)

        Returns
        -------
        windows : (clips, windows, mel bins, frames of a window)
        """
        mel = self._long_enough(mel)
        return self._cut(mel, np.tile(self.starts(mel.shape[-1]), (len(mel), 1)))

    def starts(self, frames: int) -> np.ndarray:
        """First frames of the windows whose scores are averaged, of a clip with so many frames."""
        frames = max(frames, self.frames)
        if self.scored is None:
            return np.arange(frames // self.frames) * self.frames
        return np.linspace(0, frames - self.frames, self.scored).round().astype(int)

    def _long_enough(self, mel: np.ndarray) -> np.ndarray:
        return np.tile(mel, -(-self.frames // mel.shape[-1])) if mel.size else mel

    def _cut(self, mel: np.ndarray, starts: np.ndarray) -> np.ndarray:
        windows = [
            [clip[:, start : start + self.frames] for start in of_clip]
            for clip, of_clip in zip(mel, starts, strict=True)
        ]
        return np.array(windows, mel.dtype)
