"""Layers that several networks share (sec. II.C).

Some are layers that Keras has only in a slower form, or lacks for several devices.
"""

import math
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

_COMPRESSION = 10_000
"""Factor of the mel power in ln(1 + factor * power)."""


def log_compressed(decibels: keras.KerasTensor) -> keras.KerasTensor:
    """Convert levels in dB to ln(1 + 10,000 P), where P is the power.

    P = 10^(dB / 10), so this is the softplus of dB ln(10) / 10 + ln(10,000), which can't overflow.
    Silence is 0 but for rounding: at -100 dB the result is 1e-6.

    Parameters
    ----------
    decibels : (batch, ...)
        Input of a network, in dB of power with 1.0 as reference.
    """
    nepers = keras.layers.Rescaling(
        math.log(10) / 10, offset=math.log(_COMPRESSION), name="compression_scale"
    )(decibels)
    return keras.layers.Activation("softplus", name="compression")(nepers)


def dropout(rate: float, **options: Any) -> keras.layers.Dropout:
    """Make a dropout layer; on several devices, one with different masks on each device."""
    kind = DropoutPerReplica if _on_several_devices() else keras.layers.Dropout
    return kind(rate, **options)


def batch_norm(*, images: bool = False, **options: Any) -> keras.layers.BatchNormalization:
    """Make a batch normalization whose statistics are those of the batch on all devices.

    Names and weights don't depend on the devices: a trained model can be loaded on any.

    Parameters
    ----------
    images
        Whether the input is (batch, height, width, channels) and normalized over the last axis.
    options
        Options of keras.layers.BatchNormalization.
    """
    distributed = _on_several_devices()
    kind = (
        FusedBatchNormalization if images and not distributed else keras.layers.BatchNormalization
    )
    return kind(synchronized=distributed, **options)


def multilayer_perceptron(
    inputs: keras.KerasTensor,
    n_tags: int,
    *,
    hidden: Sequence[int] = (),
    activation: str = "relu",
    dropout_rate: float = 0.0,
    l2: float = 0.0,
    seed: int | None = None,
) -> keras.KerasTensor:
    """Apply dense layers, hidden_1 and so on, and then the layer tags, with sigmoids.

    Parameters
    ----------
    inputs : (batch, features)
    n_tags
        Number of outputs.
    hidden
        Units of each hidden layer; without any, this is a logistic regression for each tag.
    activation
        Activation of the hidden layers.
    dropout_rate
        Dropout rate after each hidden layer.
    l2
        Factor of the sum of squares of all kernels in the loss.
    seed
        Seed of the initial weights, which are Glorot-uniform, and of dropout; None: the global one.

    Returns
    -------
    probabilities : (batch, n_tags)
    """

    def dense(units: int, function: str, name: str, number: int) -> keras.layers.Dense:
        return keras.layers.Dense(
            units,
            activation=function,
            kernel_initializer=keras.initializers.GlorotUniform(
                None if seed is None else seed + number
            ),
            kernel_regularizer=keras.regularizers.L2(l2) if l2 else None,
            name=name,
        )

    x = inputs
    for number, units in enumerate(hidden, start=1):
        x = dense(units, activation, f"hidden_{number}", number)(x)
        if dropout_rate:
            layer_seed = None if seed is None else seed + number - 1  # no two drop the same units
            x = dropout(dropout_rate, seed=layer_seed, name=f"dropout_{number}")(x)
    return dense(n_tags, "sigmoid", "tags", 0)(x)


def _on_several_devices() -> bool:
    return tf.distribute.get_strategy().num_replicas_in_sync > 1


def scaled_counts(counts: Sequence[int], width: float) -> list[int]:
    """Multiply numbers of filters by a width and round down; at least 1 each."""
    return [max(1, int(width * count)) for count in counts]


@keras.saving.register_keras_serializable("autotagging")
def hard_sigmoid(x: keras.KerasTensor) -> keras.KerasTensor:
    """Compute the hard sigmoid of Keras 1, clip(0.2 x + 0.5, 0, 1).

    That of Keras 3, keras.activations.hard_sigmoid, has a slope of 1/6: it is this function of
    x / 1.2.
    """
    return keras.ops.clip(0.2 * x + 0.5, 0.0, 1.0)


@keras.saving.register_keras_serializable("autotagging")
class ConvolutionBeforeNorm(keras.layers.Conv2D):
    """Two-dimensional convolution without dilation or groups, whose output is batch-normalized.

    The same function and the same variables as keras.layers.Conv2D. Batch normalization subtracts
    the mean, and with it the bias: the gradient of the bias is zero except for rounding errors,
    which Adam would amplify. Here it is exactly zero.

    Input and output: (batch, height, width, channels), channels last.
    """

    def call(self, inputs):
        """Convolve."""
        kernel = tf.convert_to_tensor(self.kernel)
        outputs = tf.nn.conv2d(inputs, kernel, self.strides, padding=self.padding.upper())
        return outputs + tf.stop_gradient(tf.convert_to_tensor(self.bias))


@keras.saving.register_keras_serializable("autotagging")
class DropoutPerReplica(keras.layers.Dropout):
    """Dropout on several devices, with different masks on each device.

    keras.layers.Dropout counts steps on each device from the same seed: the masks would be equal.
    """

    def call(self, inputs, training=False):
        """Drop out in training, by seed, step and device."""
        if not training or self.rate == 0:
            return inputs
        context = tf.distribute.get_replica_context()
        replica = context.replica_id_in_sync_group if context else 0
        seed, step = tf.unstack(self.seed_generator.next())
        # The masks of each device start a million steps after those of the previous device.
        mask = (seed, step + 2**20 * tf.cast(replica, step.dtype))
        return tf.nn.experimental.stateless_dropout(inputs, self.rate, mask)


@keras.saving.register_keras_serializable("autotagging")
class FusedBatchNormalization(keras.layers.BatchNormalization):
    """Batch normalization over the last axis of images by TensorFlow's fused operation.

    The same function and the same variables as keras.layers.BatchNormalization (whose moving
    variance lacks the fused operation's n / (n - 1)), in less time and memory.

    Input and output: (batch, height, width, channels), channels last.
    """

    def call(self, inputs, training=False, mask=None):
        """Normalize by the batch's statistics in training, else by the moving ones."""
        if not (training and self.trainable):
            return tf.raw_ops.FusedBatchNormV3(
                x=inputs,
                scale=self.gamma,
                offset=self.beta,
                mean=self.moving_mean,
                variance=self.moving_variance,
                epsilon=self.epsilon,
                is_training=False,
            ).y
        result = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=self.gamma,
            offset=self.beta,
            mean=[],
            variance=[],
            epsilon=self.epsilon,
            is_training=True,
        )
        for moving, batch in (
            (self.moving_mean, result.batch_mean),
            (self.moving_variance, result.batch_variance),
        ):
            moving.assign(moving * self.momentum + batch * (1.0 - self.momentum))
        return result.y
