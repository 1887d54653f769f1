"""Models on features: fit the features to the training clips, and keep every clip's on disk.

Nothing here imports TensorFlow, except for what a model's own fit trains by `TrainingClips.learn`.
"""

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from threadpoolctl import threadpool_limits

from autotagging.common.errors import UserError
from autotagging.common.files import load_arrays, save_arrays
from autotagging.common.progress import progress
from autotagging.training.checkpoints import Checkpoints
from autotagging.training.settings import TrainingSettings

if TYPE_CHECKING:
    import keras

    from autotagging.training.devices import Devices

Gather = Callable[[np.ndarray], np.ndarray]

_BLOCK = 32  # clips that are read, transformed and written together


def limit_linear_algebra() -> None:
    """Limit NumPy's linear algebra to one thread for good: sums depend on the number of threads."""
    threadpool_limits(1, user_api="blas")


@dataclass(frozen=True)
class TrainingClips:
    """The training clips, to which features are fitted.

    Attributes
    ----------
    clip_ids : (clips,)
    labels : float32, (clips, tags)
        0 and 1.
    other_labels : float32, (clips, other tags)
        Of the tags that are not among the kept ones, for a model that reads them; else None.
    gather
        Function from clip ids to spectrograms, (clips, mel bins, frames), in dB.
    seed
        Seed of the training.
    settings
        Settings of the training.
    devices
        Devices that networks are trained on.
    checkpoints
        Of this training; those of a network that is trained for the features are next to them.
    front_end
        Settings of the spectrograms, as in front_end.json.
    audio_sha256
        Of the corpus's audio, as in audio.json.
    threads
        Number of CPU threads.
    """

    clip_ids: np.ndarray
    labels: np.ndarray
    other_labels: np.ndarray | None
    gather: Gather
    seed: int
    settings: TrainingSettings
    devices: "Devices"
    checkpoints: Checkpoints
    front_end: Mapping[str, Any] = field(default_factory=dict)
    audio_sha256: str = ""
    threads: int = 1

    def __len__(self) -> int:
        """Count the clips."""
        return len(self.clip_ids)

    def blocks(self) -> Iterator[np.ndarray]:
        """Read all spectrograms in order: float32, (at most 32 clips, mel bins, frames), in dB."""
        starts = range(0, len(self), _BLOCK)
        for start in progress(starts, total=len(starts), label="spectrograms for the fit, block"):
            yield self.gather(self.clip_ids[start : start + _BLOCK]).astype(np.float32)

    def stored(self, name: str, transform: Callable[[np.ndarray], np.ndarray]) -> "FeatureFile":
        """Compute features of all clips into a file, from which `learn` reads them; resumable.

        Parameters
        ----------
        name
            Of the file.
        transform
            Function from a float32 spectrogram to features, (windows, features).

        Returns
        -------
        features : float16, (clips, windows, features)
            `features[positions]` are those of the clips at these positions, in memory.
        """
        compute = transformed(self.gather, transform, threads=self.threads)
        path = self.checkpoints.path_of(f"features-{name}", ".bin")
        positions = np.arange(len(self))
        return FeatureFile(path, positions, lambda rows: compute(self.clip_ids[rows]))

    def learn(
        self,
        name: str,
        network: "keras.Model",
        inputs: "np.ndarray | FeatureFile",
        labels: np.ndarray,
    ) -> None:
        """Train a network by the same loop and settings as the model itself, resumable as well.

        Every tenth clip is held out to choose the epoch; of fewer than ten, the last.

        Parameters
        ----------
        name
            Of its checkpoints.
        network
            (batch, features) -> (batch, tags); left with the weights of its best epoch.
        inputs : (clips, windows, features)
            In memory, or in a file: see `stored`.
        labels : float32, (clips, tags)

        Raises
        ------
        UserError
            There are fewer than two clips.
        """
        from autotagging.training.loop import Examples, fit

        if len(labels) < 2:
            raise UserError(f"{name}: {len(labels)} clips to learn from; expected 2 or more")
        chosen = np.arange(len(labels)) % 10 == min(len(labels), 10) - 1
        train, validation = (
            Examples(ids, labels[ids], lambda ids: inputs[ids])
            for ids in map(np.flatnonzero, (~chosen, chosen))
        )
        fit(
            network,
            train,
            validation,
            replace(self.settings, keep_epochs="last", monitor="val_loss", output_bias="zero"),
            seed=self.seed,
            devices=self.devices,
            checkpoints=self.checkpoints.of_part(name),
        )


def keep(checkpoints: Checkpoints, name: str, compute: Callable[[], Mapping[str, np.ndarray]]):
    """Compute arrays, or read them if an earlier, interrupted run of this training did.

    Parameters
    ----------
    checkpoints
        Of this training.
    name
        Of the stage.
    compute
        Function that returns the arrays by name.
    """
    path = checkpoints.path_of(f"features-{name}", ".npz")
    if path.exists():
        try:
            return load_arrays(path)
        except UserError as error:
            print(f"{error}; computed again", file=sys.stderr)
    arrays = dict(compute())
    for key, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise UserError(f"features: {name}: {key!r} has values that are not finite")
    checkpoints.delete_features_of_others()
    save_arrays(path, arrays)
    return arrays


def transformed(
    gather: Gather, transform: Callable[[np.ndarray], np.ndarray], *, threads: int = 1
) -> Gather:
    """Make a function from clip ids to features: float16, (clips, windows, features).

    Parameters
    ----------
    gather
        Function from clip ids to spectrograms, (clips, mel bins, frames), in dB.
    transform
        Function from a float32 spectrogram to features, (windows, features).
    threads
        Clips that are transformed at a time; the result does not depend on it.
    """

    def of_clips(clip_ids: np.ndarray) -> np.ndarray:
        mel = gather(clip_ids).astype(np.float32)
        if threads == 1:
            features = [transform(clip) for clip in mel]
        else:
            with ThreadPoolExecutor(threads) as pool:
                features = [*pool.map(transform, mel)]
        return np.stack(features).astype(np.float16)

    return of_clips


class FeatureFile:
    """Features of clips in a file, written once and read clip by clip: they need not fit in memory.

    Parameters
    ----------
    path
        File of the features. If an interrupted run of the same training left it, it is completed.
    clip_ids
        Clips in the order of the file.
    compute
        Function from clip ids to features: float16, (clips, windows, features).
    """

    def __init__(self, path: Path, clip_ids: np.ndarray, compute: Gather):
        self._rows = {int(clip): row for row, clip in enumerate(clip_ids)}
        self.shape = compute(clip_ids[:1]).shape[1:]
        self._bytes = 2 * int(np.prod(self.shape))
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            # What was written last may not have reached the disk.
            done = max(file.tell() // self._bytes // _BLOCK - 1, 0) * _BLOCK
            done = min(done, len(clip_ids))
            file.truncate(done * self._bytes)
            starts = range(done, len(clip_ids), _BLOCK)
            for start in progress(starts, total=len(starts), label="features of all clips, block"):
                file.write(compute(clip_ids[start : start + _BLOCK]).tobytes())
                file.flush()
                os.fsync(file.fileno())
        self._file = path.open("rb")

    def __getitem__(self, clip_ids: Sequence[int]) -> np.ndarray:
        """Read features of clips, as `gather` does."""
        return self.gather(clip_ids)

    def gather(self, clip_ids: Sequence[int]) -> np.ndarray:
        """Read features: float16, (clips, windows, features); several threads may call this."""
        features = np.empty((len(clip_ids), *self.shape), np.float16)
        for row, clip in zip(features, clip_ids, strict=True):
            start = self._rows[int(clip)] * self._bytes
            if os.preadv(self._file.fileno(), [row], start) != self._bytes:
                raise UserError(f"{self._file.name}: shorter than it was written; delete it")
        return features


def fit_features(model: Any, clips: TrainingClips) -> dict[str, np.ndarray]:
    """Fit a `models.FeatureModel` to the training clips; stages of an earlier run are read."""
    return model.fit(clips, seed=clips.seed, keep=partial(keep, clips.checkpoints))
