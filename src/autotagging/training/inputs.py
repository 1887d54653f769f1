"""What a network learns from: spectrograms, windows of them, or features, with the labels.

Imports TensorFlow only inside functions.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from autotagging import models
from autotagging.dataset.store import MelStore
from autotagging.training.features import TrainingClips, fit_features, limit_linear_algebra

if TYPE_CHECKING:
    from autotagging.training.loop import Examples


@dataclass(frozen=True)
class Inputs:
    """Inputs of a network, and labels, of both subsets.

    Attributes
    ----------
    train, validation
        Examples of the subsets.
    shape
        Shape of an input: of a clip's spectrogram, of a window, or of a window's features.
    windows
        Windows of a clip that are scored.
    model
        Functions of a model on features; None for others.
    features
        Arrays of the fitted features.
    multiply_adds
        Multiply-adds of a clip's features.
    """

    train: "Examples"
    validation: "Examples"
    shape: tuple[int, ...]
    windows: int = 1
    model: models.FeatureModel | None = None
    features: dict[str, np.ndarray] = field(default_factory=dict)
    multiply_adds: int = 0


def spectrograms(
    store: MelStore, labelled: Mapping[str, pd.DataFrame], options: Mapping[str, Any]
) -> Inputs:
    """Give the inputs of a network on spectrograms, or on windows of them.

    Parameters
    ----------
    store
        Spectrograms.
    labelled
        Labels, 0 and 1, (clips, tags), indexed by clip_id, of "train" and "validation".
    options
        Options of the model.
    """
    from autotagging.training.loop import Examples

    train, validation = (_ids_and_labels(labelled[name]) for name in ("train", "validation"))
    cut = models.windows(options)
    if not cut:
        subsets = (Examples(*subset, store.gather) for subset in (train, validation))
        return Inputs(*subsets, shape=store.clip_shape)
    mel_bins, frames = store.clip_shape
    return Inputs(
        Examples(*train, store.gather, windows=cut),
        Examples(*validation, lambda clip_ids: cut.even(store.gather(clip_ids))),
        shape=(mel_bins, cut.frames),
        windows=len(cut.starts(frames)),
    )


def fitted_features(
    store: MelStore,
    labelled: Mapping[str, pd.DataFrame],
    model: models.FeatureModel,
    **of_training: Any,
) -> Inputs:
    """Fit features to the training clips, and compute those of all clips.

    Parameters
    ----------
    store, labelled
        See `spectrograms`.
    model
        Functions of the model.
    of_training
        Further attributes of `features.TrainingClips`.
    """
    from autotagging.training.loop import Examples

    limit_linear_algebra()
    train, validation = (_ids_and_labels(labelled[name]) for name in ("train", "validation"))
    clips = TrainingClips(*train, gather=store.gather, **of_training)
    features = fit_features(model, clips, others=validation[0])
    windows, *shape = features.gather(train[0][:1]).shape[1:]
    mel_bins, frames = store.clip_shape
    count = model.multiply_adds
    return Inputs(
        *(Examples(*subset, features.gather) for subset in (train, validation)),
        shape=tuple(shape),
        windows=windows,
        model=model,
        features=features.arrays,
        multiply_adds=count(features.arrays, mel_bins=mel_bins, frames=frames) if count else 0,
    )


def _ids_and_labels(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    return table.index.to_numpy(), table.to_numpy(np.float32)
