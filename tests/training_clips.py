"""Training clips for models on features: synthetic spectrograms in which tags can be heard."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from autotagging.training.devices import ONE_DEVICE
from autotagging.training.features import TrainingClips
from networks import checkpoints_in, training_settings


def audible_clips(n: int = 16, *, bins: int = 24, frames: int = 160) -> tuple[np.ndarray, ...]:
    """Make spectrograms in dB, (n, bins, frames), and labels of three tags, (n, 3).

    A tag is a band of its own that is pulsed at its own rate.
    """
    rng = np.random.default_rng(0)
    labels = rng.integers(2, size=(n, 3)).astype(np.float32)
    labels[:2] = [[0, 1, 0], [1, 0, 1]]
    mel = rng.normal(-40, 4, (n, bins, frames)).astype(np.float32)
    for tag, period in enumerate((4, 10, 24)):
        pulse = 12.0 * (np.arange(frames) % period < period / 2)
        mel[:, 8 * tag + 1 : 8 * tag + 4] += labels[:, tag, None, None] * pulse
    return mel, labels


def training_clips(
    folder: Path,
    mel: np.ndarray,
    labels: np.ndarray,
    *,
    other_labels: np.ndarray | None = None,
    front_end: dict[str, Any] | None = None,
    audio_sha256: str = "",
    **settings: Any,
) -> TrainingClips:
    """Training clips 10, 11, ... with settings of `networks.training_settings`."""
    return TrainingClips(
        np.arange(len(mel)) + 10,
        labels,
        other_labels,
        lambda clip_ids: mel[np.asarray(clip_ids) - 10].astype(np.float16),
        seed=0,
        settings=training_settings(**settings),
        devices=ONE_DEVICE,
        checkpoints=checkpoints_in(folder / "unfinished"),
        front_end=front_end or {},
        audio_sha256=audio_sha256,
    )


class Clips:
    """Training clips without labels or files: spectrograms that are read in blocks."""

    def __init__(self, mel: np.ndarray, *, block: int = 4):
        self.mel, self.block, self.passes = mel, block, 0

    def __len__(self) -> int:
        return len(self.mel)

    def blocks(self) -> Iterator[np.ndarray]:
        """Give the spectrograms as `TrainingClips` does; `passes` counts how often."""
        self.passes += 1
        for start in range(0, len(self.mel), self.block):
            yield self.mel[start : start + self.block].astype(np.float32)


def not_kept(name: str, compute: Any) -> dict[str, np.ndarray]:
    """Compute a stage of a fit, as `keep` does in a first run."""
    return compute()


def fit_in_memory(
    model: Any, clips: Any, *, seed: int = 0, keep: Callable = not_kept
) -> dict[str, np.ndarray]:
    """Fit a model on features to `clips.blocks()`, with what a file would store in memory."""
    arrays = model.fit(clips, seed=seed, keep=keep)
    encoded = [model.encode(mel, arrays) for block in clips.blocks() for mel in block]
    stored = SimpleNamespace(each=lambda clip_ids: [encoded[clip] for clip in clip_ids])
    listed = SimpleNamespace(clip_ids=range(len(encoded)))
    return arrays | model.fit_encoded(listed, stored, arrays, seed=seed, keep=keep)
