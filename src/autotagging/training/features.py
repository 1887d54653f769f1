"""Models on features: fit the features to the training clips, and keep every clip's on disk.

Nothing here imports TensorFlow, except for what a model's own fit trains by `TrainingClips.learn`.
"""

import hashlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from threadpoolctl import threadpool_limits

from autotagging.common.errors import UserError
from autotagging.common.files import load_arrays, save_arrays
from autotagging.common.progress import progress
from autotagging.training.checkpoints import Checkpoints
from autotagging.training.feature_file import BLOCK, FeatureFile, Gather, transformed
from autotagging.training.settings import TrainingSettings

if TYPE_CHECKING:
    import keras

    from autotagging.training.devices import Devices


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
        starts = range(0, len(self), BLOCK)
        for start in progress(starts, total=len(starts), label="spectrograms for the fit, block"):
            yield self.gather(self.clip_ids[start : start + BLOCK]).astype(np.float32)

    def stored(
        self,
        name: str,
        encode: Callable[[np.ndarray], np.ndarray],
        *,
        others: Sequence[int] = (),
    ) -> FeatureFile:
        """Compute features of all clips into a file, in one pass; resumable.

        Parameters
        ----------
        name
            Of the file.
        encode
            Function from a float32 spectrogram to features, (windows, ...).
        others
            Further clips, which come last in the file.
        """
        self.checkpoints.delete_features_of_others()
        path = self.checkpoints.path_of(f"features-{name}", ".bin")
        clip_ids = np.concatenate([self.clip_ids, np.asarray(others, self.clip_ids.dtype)])
        compute = transformed(self.gather, encode, threads=self.threads, dtype=np.float32)
        return FeatureFile(path, clip_ids, compute, threads=self.threads)

    def learn(
        self,
        name: str,
        network: "keras.Model",
        gather: Gather,
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
        gather
            Function from clip ids to inputs, (clips, windows, ...).
        labels : float32, (clips, tags)

        Raises
        ------
        UserError
            There are fewer than two clips.
        """
        from autotagging.training.loop import Examples, fit

        if len(labels) < 2:
            raise UserError(f"{name}: clips to learn from: {len(labels)}; expected 2 or more")
        chosen = np.arange(len(labels)) % 10 == min(len(labels), 10) - 1
        train, validation = (
            Examples(self.clip_ids[rows], labels[rows], gather) for rows in (~chosen, chosen)
        )
        fit(
            network,
            train,
            validation,
            replace(self.settings, keep_epochs="last", monitor="val_loss", output_bias="zero"),
            name=name,
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


@dataclass(frozen=True)
class FittedFeatures:
    """Features that are fitted to the training clips.

    Attributes
    ----------
    arrays
        All arrays that were fitted.
    gather
        Function from ids of the stored clips to features: float16, (clips, windows, ...).
    """

    arrays: dict[str, np.ndarray]
    gather: Gather


def fit_features(model: Any, clips: TrainingClips, *, others: Sequence[int] = ()) -> FittedFeatures:
    """Fit a `models.FeatureModel` to the training clips; stages of an earlier run are read.

    Parameters
    ----------
    model
        Functions of the model.
    clips
        Training clips.
    others
        Further clips whose features are computed and stored.
    """
    stages = {"seed": clips.seed, "keep": partial(keep, clips.checkpoints)}
    arrays = model.fit(clips, **stages)
    encoded = clips.stored(
        f"clips-{_digest(arrays)}", lambda mel: model.encode(mel, arrays), others=others
    )
    fitted = arrays | model.fit_encoded(clips, encoded, arrays, **stages)
    return FittedFeatures(fitted, encoded.finished(lambda each: model.finish(each, fitted)))


def _digest(arrays: Mapping[str, np.ndarray]) -> str:
    """Hash arrays, so that features computed with others are not taken for theirs."""
    digest = hashlib.sha256()
    for name, array in arrays.items():
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array))
    return digest.hexdigest()[:12]
