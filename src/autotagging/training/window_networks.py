"""Networks whose inputs are windows of a clip: each is an example, scores are averaged.

Imports TensorFlow; import it inside functions.
"""

from collections.abc import Callable

from autotagging.common.progress import native_log_hidden

with native_log_hidden():
    import keras
    import tensorflow as tf


def flat_windows(model: keras.Model, batch: tf.Tensor) -> tuple[int, tf.Tensor]:
    """Make the windows of a batch's clips the inputs of a network.

    Parameters
    ----------
    model
        Network, (batch, ...) -> (batch, tags).
    batch
        Inputs of the network, one for each clip, or (clips, windows, ...).

    Returns
    -------
    windows
        Number of windows of each clip, 1 if there are none.
    inputs
        float32, (clips x windows, ...).
    """
    batch = tf.cast(batch, tf.float32)
    if batch.shape.rank == len(model.inputs[0].shape):
        return 1, batch
    clips, windows, *rest = batch.shape
    flat = tf.reshape(batch, (-1 if clips is None else clips * windows, *rest))
    return windows, flat


def mean_over_windows(scores: tf.Tensor, windows: int) -> tf.Tensor:
    """Average the scores of each clip's windows: (clips x windows, tags) -> (clips, tags)."""
    if windows == 1:
        return scores
    return tf.reduce_mean(tf.reshape(scores, (-1, windows, scores.shape[-1])), axis=1)


def score_windows(
    model: keras.Model, score: Callable[[tf.Tensor], tf.Tensor], batch: tf.Tensor
) -> tf.Tensor:
    """Score clips; of several windows, one after the other, so that memory does not grow.

    Parameters
    ----------
    model, batch
        See `flat_windows`.
    score
        Function from inputs of the network, float32, (clips, ...), to scores, (clips, tags).

    Returns
    -------
    scores : float32, (clips, tags)
        Mean over the windows.
    """
    batch = tf.cast(batch, tf.float32)
    if batch.shape.rank == len(model.inputs[0].shape):
        return score(batch)
    by_window = tf.transpose(batch, [1, 0, *range(2, batch.shape.rank)])
    scores = tf.map_fn(score, by_window, parallel_iterations=1)
    return tf.reduce_mean(scores, axis=0)


def penalty(model: keras.Model) -> tf.Tensor | float:
    """Sum the penalties of a network's regularizers; 0.0 without any."""
    return tf.add_n(model.losses) if model.losses else 0.0
