"""The same network in stock Keras layers, trained by `train_on_batch`, in the paper's order."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
from keras import layers

from on_gpu.sizes import FILTERS, MEL_BINS, POOLS, TAGS, Size


def build(
    size: Size, precision: str = "float32", *, dropout: bool = True, cudnn: bool = True
) -> keras.Model:
    """Build the network; its weights are in the order of the project's.

    Parameters
    ----------
    size
        Of the spectrograms.
    precision
        Of the convolution blocks, and, if it is float64, of all else.
    dropout
        Whether there is any.
    cudnn
        Whether the recurrent layers may be cuDNN's, which XLA does not know.
    """
    rest = "float64" if precision == "float64" else "float32"
    padding = size.padded - size.frames
    sides = (padding // 2, padding - padding // 2)
    x = inputs = keras.Input((MEL_BINS, size.frames), dtype=rest)
    x = layers.BatchNormalization(axis=1, momentum=0.9, dtype=rest)(x)
    x = layers.Reshape((MEL_BINS, size.frames, 1), dtype=rest)(x)
    x = layers.ZeroPadding2D(((0, 0), sides), dtype=rest)(x)
    for filters, pool in zip(FILTERS, POOLS, strict=True):
        x = layers.Conv2D(filters, 3, padding="same", dtype=precision)(x)
        x = layers.BatchNormalization(momentum=0.9, dtype=precision)(x)
        x = layers.ELU(dtype=precision)(x)
        x = layers.MaxPooling2D(pool, dtype=precision)(x)
        x = layers.Dropout(0.1 if dropout else 0.0, dtype=precision)(x)
    x = layers.Reshape((-1, FILTERS[-1]), dtype=rest)(x)
    for sequences in (True, False):
        x = layers.GRU(
            32, return_sequences=sequences, use_cudnn="auto" if cudnn else False, dtype=rest
        )(x)
    x = layers.Dropout(0.3 if dropout else 0.0, dtype=rest)(x)
    outputs = layers.Dense(TAGS, activation="sigmoid", dtype=rest)(x)
    return keras.Model(inputs, outputs)


def make_step(size: Size, precision: str, *, xla: bool) -> Callable:
    """Make a function (mel, labels) -> loss: `train_on_batch`, compiled by XLA or not."""
    tf.config.experimental.enable_tensor_float_32_execution(precision != "float32")
    model = build(size, "float32" if precision == "tf32" else precision, cudnn=not xla)
    model.compile(keras.optimizers.Adam(0.001), "binary_crossentropy", jit_compile=xla)
    return model.train_on_batch


def gradients(model: keras.Model, mel: Any, labels: Any) -> list:
    """Give the gradients of the mean cross-entropy of a batch, on the CPU, as arrays."""
    variables = [variable.value for variable in model.trainable_variables]

    @tf.function(autograph=False)
    def compute() -> list:
        with tf.GradientTape() as tape:
            scores = model(tf.cast(mel, model.input.dtype), training=True)
            loss = tf.reduce_mean(keras.losses.binary_crossentropy(labels, scores))
        return tape.gradient(loss, variables)

    with tf.device("CPU:0"):
        return [gradient.numpy() for gradient in compute()]
