"""A training step and the scoring of clips, compiled for the chosen devices (sec. III).

Imports TensorFlow; import it inside functions.
"""

import sys
from collections.abc import Callable
from contextlib import closing

import numpy as np

from autotagging.common.progress import native_log_hidden, progress
from autotagging.dataset.prefetch import Waiting, prefetched
from autotagging.training.devices import ONE_DEVICE, Devices
from autotagging.training.epoch_metrics import smoothed_prior
from autotagging.training.optimizer import follow_gradient

with native_log_hidden():
    import keras
    import tensorflow as tf

    from autotagging.training.fused import FusedNetwork, fuse

Gather = Callable[[np.ndarray], np.ndarray]
"""Function from clip ids to their spectrograms, (clips, mel bins, frames)."""


def set_output_bias(model: keras.Model, labels: np.ndarray) -> None:
    """Initialize the output layer's bias with the log-odds of each tag in the training labels.

    With a zero bias, a model spends its first hundreds of steps learning the frequencies of the
    tags. Counts are smoothed by half a clip, so that a tag without positives has a finite bias.

    Parameters
    ----------
    model
        Model whose last layer is dense, with a sigmoid.
    labels : (clips, tags)
        0 and 1.
    """
    prior = smoothed_prior(labels)
    model.layers[-1].bias.assign(np.log(prior / (1 - prior)))


def make_train_step(
    model: keras.Model, optimizer: keras.optimizers.Optimizer, devices: Devices = ONE_DEVICE
) -> Callable:
    """Make a function (mel, labels) -> (loss, scores) that takes a step of the optimizer."""
    if devices.strategy:
        return devices.make_train_step(model, optimizer)
    fused = _fused(model)
    if not (fused or _on_gpu()):
        print("these layers can't be fused, so training on a CPU is slower", file=sys.stderr)
    binary_cross_entropy = keras.losses.BinaryCrossentropy()

    @tf.function(autograph=False)
    def train_step(mel, labels):
        mel = tf.cast(mel, tf.float32)
        with tf.GradientTape() as tape:
            scores = fused.train(mel) if fused else model(mel, training=True)
            loss = binary_cross_entropy(labels, scores)
            scaled = optimizer.scale_loss(loss)
        follow_gradient(tape, scaled, model, optimizer)
        return loss, scores

    return train_step


def make_scorer(model: keras.Model, devices: Devices = ONE_DEVICE) -> Callable[..., np.ndarray]:
    """Make a function (clip_ids, gather, *, batch_size) -> scores, float32, (clips, tags).

    Its optional argument `waiting` counts the time spent waiting for spectrograms.
    """
    fused = None if devices.strategy else _fused(model)

    @tf.function(autograph=False)
    def score_step(mel):
        mel = tf.cast(mel, tf.float32)
        return fused.score(mel) if fused else model(mel, training=False)

    spread_step = devices.make_score_step(model) if devices.strategy else None

    def score(
        clip_ids: np.ndarray, gather: Gather, *, batch_size: int, waiting: Waiting | None = None
    ) -> np.ndarray:
        batches = [clip_ids[i : i + batch_size] for i in range(0, len(clip_ids), batch_size)]
        own = [devices.rows(batch) for batch in batches]
        with closing(prefetched(gather, own, waiting or Waiting())) as ahead:
            pairs = zip(batches, ahead, strict=True)
            steps = progress(pairs, total=len(batches), label="scored batch")
            if spread_step:
                scores = [spread_step(mel, len(batch)).numpy() for batch, mel in steps]
            else:  # pad all batches to one size, so that only one is compiled
                size = len(batches[0])
                scores = [score_step(_filled(mel, size)).numpy()[: len(mel)] for _, mel in steps]
        return np.concatenate(scores)

    return score


def _filled(mel: np.ndarray, size: int) -> np.ndarray:
    """Append clips of zeros up to a size."""
    return np.pad(mel, [(0, size - len(mel)), (0, 0), (0, 0)])


def _fused(model: keras.Model) -> FusedNetwork | None:
    """Fuse a model's layers on a CPU; on a GPU, the layers are used as they are."""
    return None if _on_gpu() else fuse(model)


def _on_gpu() -> bool:
    return bool(tf.config.get_visible_devices("GPU"))
