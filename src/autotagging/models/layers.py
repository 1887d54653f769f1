"""Layers that Keras has only in a slower form, or lacks for several devices (sec. II.C)."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("autotagging")
class ConvolutionBeforeNorm(keras.layers.Conv2D):
    """Two-dimensional convolution, stride 1, same padding, whose output is batch-normalized.

    The same function and the same variables as keras.layers.Conv2D. Batch normalization subtracts
    the mean, and with it the bias: the gradient of the bias is zero except for rounding errors,
    which Adam would amplify. Here it is exactly zero.

    Input and output: (batch, height, width, channels), channels last.
    """

    def call(self, inputs):
        """Convolve."""
        outputs = tf.nn.conv2d(inputs, tf.convert_to_tensor(self.kernel), 1, padding="SAME")
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
