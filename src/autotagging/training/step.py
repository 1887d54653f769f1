"""A training step and the scoring of clips, compiled for the chosen devices (sec. III).

Imports TensorFlow; import it inside functions.
"""

import sys
from collections.abc import Callable
from contextlib import closing
from functools import partial

import numpy as np

from autotagging.common.errors import UserError
from autotagging.common.progress import native_log_hidden, progress
from autotagging.dataset.prefetch import Waiting, prefetched
from autotagging.training.devices import ONE_DEVICE, Devices, Gather
from autotagging.training.epoch_metrics import smoothed_prior
from autotagging.training.optimizer import apply_gradients
from autotagging.training.window_networks import (
    flat_windows,
    mean_over_windows,
    penalty,
    score_windows,
)

with native_log_hidden():
    import keras
    import tensorflow as tf

    from autotagging.training.fused import fuse
    from autotagging.training.passes import on_gpu


def set_output_bias(network: keras.Model, labels: np.ndarray, *, model: str) -> None:
    """Initialize the output layer's bias with the log-odds of each tag in the training labels.

    With a zero bias, a model spends its first hundreds of steps learning the frequencies of the
    tags. Counts are smoothed by half a clip, so that a tag without positives has a finite bias.

    Parameters
    ----------
    network
        Network whose last layer is dense, with a bias and a sigmoid.
    labels : (clips, tags)
        0 and 1.
    model
        Name of the model, for the message.

    Raises
    ------
    UserError
        The last layer is another, or has no bias.
    """
    last = network.layers[-1]
    if not isinstance(last, keras.layers.Dense) or last.bias is None:
        raise UserError(
            f"model {model!r}: its last layer, {last.name!r} ({type(last).__name__}), is not a "
            "dense layer with a bias that could start with the tags' frequencies; set "
            f"train.{model}.training.output_bias to zero"
        )
    prior = smoothed_prior(labels)
    last.bias.assign(np.log(prior / (1 - prior)))


def make_train_step(
    model: keras.Model, optimizer: keras.optimizers.Optimizer, devices: Devices = ONE_DEVICE
) -> Callable:
    """Make a function (mel, labels) -> (loss, scores) that takes a step of the optimizer."""
    if devices.strategy:
        return devices.make_train_step(model, optimizer)
    fused = fuse(model)
    if on_gpu():
        # Not without fused blocks: XLA has no deterministic gradient of max pooling.
        tf.config.optimizer.set_jit("autoclustering" if fused and devices.xla else False)
    convolves = any(isinstance(layer, keras.layers.Conv2D) for layer in model.layers)
    if convolves and not (fused or on_gpu()):
        print("these layers can't be fused, so training on a CPU is slower", file=sys.stderr)
    binary_cross_entropy = keras.losses.BinaryCrossentropy()

    @tf.function(autograph=False)
    def train_step(mel, labels):
        windows, mel = flat_windows(model, mel)
        of_windows = tf.repeat(labels, windows, axis=0)
        with tf.GradientTape() as tape:
            scores = fused.train(mel) if fused else model(mel, training=True)
            loss = binary_cross_entropy(of_windows, scores)
            scaled = optimizer.scale_loss(loss + penalty(model))
        apply_gradients(tape, scaled, model, optimizer)
        return loss, mean_over_windows(scores, windows)

    return train_step


def make_scorer(model: keras.Model, devices: Devices = ONE_DEVICE) -> Callable[..., np.ndarray]:
    """Make a function (clip_ids, gather, *, batch_size) -> scores, float32, (clips, tags).

    Its optional argument `waiting` counts the time spent waiting for spectrograms.
    """
    fused = None if devices.strategy else fuse(model)

    score_batch = fused.score if fused else partial(model, training=False)

    @tf.function(autograph=False)
    def score_step(mel):
        return score_windows(model, score_batch, mel)

    distributed_step = devices.make_score_step(model) if devices.strategy else None

    def score(
        clip_ids: np.ndarray, gather: Gather, *, batch_size: int, waiting: Waiting | None = None
    ) -> np.ndarray:
        batches = [clip_ids[i : i + batch_size] for i in range(0, len(clip_ids), batch_size)]
        own = [devices.rows(batch) for batch in batches]

        def read(clip_ids: np.ndarray) -> np.ndarray:
            mel = gather(clip_ids)
            # Pad all batches to one size, so that only one is compiled.
            return mel if distributed_step else _filled(mel, len(batches[0]))

        with closing(prefetched(devices.copied(read), own, waiting or Waiting())) as ahead:
            pairs = zip(batches, ahead, strict=True)
            steps = progress(pairs, total=len(batches), label="scored batch")
            if distributed_step:
                scores = [distributed_step(mel, len(batch)).numpy() for batch, mel in steps]
            else:
                scores = [score_step(mel).numpy()[: len(batch)] for batch, mel in steps]
        return np.concatenate(scores)

    return score


def _filled(mel: np.ndarray, size: int) -> np.ndarray:
    """Append clips of zeros up to a size."""
    return np.pad(mel, [(0, size - len(mel)), *[(0, 0)] * (mel.ndim - 1)])
