"""Training and scoring of a network: the function of its layers, in fewer passes.

Blocks of convolution, batch normalization, max pooling, ELU or ReLU, and dropout are computed as a
whole, with explicit gradients; other layers are called as they are. The weights are those of the
layers.

Batch normalization is an affine function of each channel's outputs. So the pooling comes first,
with the kernel's sign changed where the slope is negative, and later operations have fewer
elements. The gradient of the normalization (Ioffe and Szegedy 2015) is also affine in these
outputs: it is combined with that of the pooling in one pass.
"""

from collections.abc import Callable

import keras
import tensorflow as tf

from autotagging.models.layers import FusedBatchNormalization
from autotagging.training import passes
from autotagging.training.blocks import Block, Head, find_blocks

_Moments = tuple[tf.Tensor, tf.Tensor]
_Factors = tuple[tf.Tensor, tf.Tensor, tf.Tensor]


def fuse(model: keras.Model) -> "FusedNetwork | None":
    """Find the blocks of a network; None if its layers can't be fused.

    The layers must form a chain:

    - layers without variables, if any;
    - batch normalization of the mel bins, if any;
    - layers that place the spectrogram in a larger plane, in the same way for all rows;
    - blocks: a convolution of 3 x 3 with same padding; batch normalization, if any; max pooling,
      and ELU or ReLU before or after it; dropout, if any;
    - layers other than two-dimensional convolution and max pooling.

    The first and the last may be any layers, which are called. The others are of Keras' classes, or
    of `models.layers`, and have no setting that would be lost, such as a penalty of activities.
    """
    found = find_blocks(model)
    return FusedNetwork(model, *found) if found else None


class FusedNetwork:
    """A network with fused blocks, created by `fuse`.

    Each batch size is compiled separately, so there should be few.
    """

    def __init__(self, model: keras.Model, head: Head, blocks: list[Block]):
        self._input_norm, self._blocks = head.norm, blocks
        self._prepare = keras.Model(model.inputs[0], head.prepared)
        placed = keras.Model(head.norm.output if head.norm else head.prepared, head.placed)
        self._place = lambda mel: placed(mel)[..., 0]
        self._tail = keras.Model(blocks[-1].output, model.outputs[0])

    def train(self, mel: tf.Tensor) -> tf.Tensor:
        """Score in training: with dropout and batch statistics; the moving statistics are updated.

        Parameters
        ----------
        mel : float32, (batch, mel bins, frames)
            Log-mel spectrograms, for which no gradient is computed.

        Returns
        -------
        scores : float32, (batch, tags)
        """
        first, *others = self._blocks
        x = _train_block(first, self._plane(self._prepare(mel, training=True)))
        for block in others:
            x = _train_block(block, _Images(block, x))
        return self._tail(x, training=True)

    def score(self, mel: tf.Tensor) -> tf.Tensor:
        """Score with the moving statistics; shapes as in `train`."""
        x = self._prepare(mel, training=False)
        if self._input_norm:
            x = self._input_norm(x, training=False)
        for block in self._blocks:
            kernel, shift = _scoring_affine(block)
            if block is self._blocks[0]:
                plane, kernel = passes.padded(self._place(x)), kernel[:, :, 0]
                x = passes.plane_pooled_activation(
                    plane, kernel, shift, block.pool, block.function, block.dtype
                )
            else:
                convolved = tf.nn.conv2d(x, tf.cast(kernel, block.dtype), 1, "SAME")
                x = passes.pooled_activation(convolved, shift, block.pool, block.function)
        return self._tail(x, training=False)

    def _plane(self, mel: tf.Tensor) -> "_Plane":
        """Normalize the mel bins over the batch and prepare the convolution of the first block."""
        bins = mel.shape[1]
        scale, shift = tf.ones(bins), tf.zeros(bins)
        if norm := self._input_norm:
            mean, variance = tf.nn.moments(mel, [0, 2])
            _update_moving_statistics(norm, mean, variance)
            mel = (mel - mean[:, None]) * tf.math.rsqrt(variance + norm.epsilon)[:, None]
            scale, shift = map(tf.convert_to_tensor, (norm.gamma, norm.beta))
        padding = self._place(tf.zeros_like(mel[:1]))
        inside = self._place(tf.ones_like(mel[:1])) - padding
        return _Plane(self._blocks[0], self._place(mel) - padding, inside, padding, scale, shift)


class _Images:
    """The convolution of a block with many input channels."""

    def __init__(self, block: Block, images: tf.Tensor):
        self.variables = [tf.convert_to_tensor(block.convolution.kernel), images]
        self._block = block

    def convolve(self, sign: tf.Tensor, kernel: tf.Tensor, images: tf.Tensor) -> None:
        self._sign, self._images = sign, images
        self._kernel = tf.cast(kernel * sign, self._block.dtype)
        self._output = tf.nn.conv2d(images, self._kernel, 1, "SAME")
        self.size = self._output.shape.num_elements() // self._output.shape[-1]

    def moments(self) -> _Moments:
        return passes.moments(self._output)

    def largest(self) -> tf.Tensor:
        return passes.largest(self._output, self._block.pool)

    def convolution_gradient(
        self, output: tf.Tensor, of_output: tf.Tensor, factors: _Factors
    ) -> tf.Tensor:
        block = self._block
        winners = passes.winner(self._output, block.pool)
        options = (block.pool, block.dropped, block.function)
        return passes.convolution_gradient(
            self._output, winners, output, of_output, factors, *options
        )

    def gradients(self, of_convolved: tf.Tensor) -> list[tf.Tensor]:
        common = {"out_backprop": of_convolved, "strides": [1] * 4, "padding": "SAME"}
        of_kernel = tf.raw_ops.Conv2DBackpropFilter(
            input=self._images, filter_sizes=self._kernel.shape, **common
        )
        of_images = tf.raw_ops.Conv2DBackpropInput(
            input_sizes=self._images.shape, filter=self._kernel, **common
        )
        return [tf.cast(of_kernel, tf.float32) * self._sign, of_images]


class _Plane:
    """The convolution of the first block, of scale * plane + shift * inside + padding.

    Its output is the largest array but cheap to compute, so it is never stored.

    Parameters
    ----------
    block
        First block of the network.
    plane : (batch, height, width)
        Normalized spectrograms, 0 in the padding.
    inside, padding : (1, height, width)
        1 and 0 where the spectrogram is; 0 and the padding elsewhere. All rows are equal.
    scale, shift : (height,)
    """

    def __init__(
        self,
        block: Block,
        plane: tf.Tensor,
        inside: tf.Tensor,
        padding: tf.Tensor,
        scale: tf.Tensor,
        shift: tf.Tensor,
    ):
        self.variables = [tf.convert_to_tensor(block.convolution.kernel), scale, shift]
        self._block, self._plane, self._inside, self._padding = block, plane, inside, padding
        self.size = plane.shape.num_elements()

    def convolve(
        self, sign: tf.Tensor, kernel: tf.Tensor, scale: tf.Tensor, shift: tf.Tensor
    ) -> None:
        self._sign, self._scale, self._shift = sign, scale, shift
        self._kernel = kernel[:, :, 0] * sign
        self._whole = self._plane * scale[:, None] + self._inside * shift[:, None] + self._padding
        self._padded = passes.padded(self._whole)

    def moments(self) -> _Moments:
        return passes.plane_moments(self._whole, self._kernel)

    def largest(self) -> tf.Tensor:
        block = self._block
        return passes.plane_largest(self._padded, self._kernel, block.pool, block.dtype)

    def convolution_gradient(
        self, output: tf.Tensor, of_output: tf.Tensor, factors: _Factors
    ) -> tf.Tensor:
        block, plane = self._block, (self._padded, self._kernel)
        winners = passes.plane_winner(*plane, block.pool)
        options = (block.pool, block.dropped, block.function)
        return passes.plane_convolution_gradient(
            *plane, winners, output, of_output, factors, *options
        )

    def gradients(self, of_convolved: tf.Tensor) -> list[tf.Tensor]:
        """Compute the gradients of kernel, scale and shift from the same products, row by row."""
        height, width = self._plane.shape[1:]
        shape = (of_convolved.shape[0], height, 1, width)
        around = passes.padded(self._plane)
        parts = [around[:, None, i : i + height, j : j + width] for i in range(3) for j in range(3)]
        for rows in (self._inside, self._padding):
            row = tf.pad(rows[:, :1], [[0, 0], [0, 0], [1, 1]])
            parts += [row[:, None, :, j : j + width] for j in range(3)]
        columns = tf.concat(
            [tf.broadcast_to(tf.transpose(p, (0, 2, 1, 3)), shape) for p in parts], 2
        )
        products = tf.matmul(tf.cast(columns, of_convolved.dtype), of_convolved)
        by_row = tf.reduce_sum(tf.cast(products, tf.float32), 0)  # (height, 15, channels)
        of_kernel, of_scale, of_shift = [], tf.zeros(height), tf.zeros(height)
        for i in range(3):
            # Row r of the output depends on row r + i - 1 of the plane.
            first, last = max(0, 1 - i), min(height, height + 1 - i)
            seen = slice(first + i - 1, last + i - 1)
            for j in range(3):
                by_plane, by_inside, by_padding = (
                    by_row[first:last, part] for part in (3 * i + j, 9 + j, 12 + j)
                )
                of_kernel.append(
                    tf.linalg.matvec(by_plane, self._scale[seen], transpose_a=True)
                    + tf.linalg.matvec(by_inside, self._shift[seen], transpose_a=True)
                    + tf.reduce_sum(by_padding, 0)
                )
                back = [[seen.start, height - seen.stop]]
                of_scale += tf.pad(tf.linalg.matvec(by_plane, self._kernel[i, j]), back)
                of_shift += tf.pad(tf.linalg.matvec(by_inside, self._kernel[i, j]), back)
        return [tf.reshape(tf.stack(of_kernel) * self._sign, (3, 3, 1, -1)), of_scale, of_shift]


def _scoring_affine(block: Block) -> tuple[tf.Tensor, tf.Tensor]:
    """Combine a block's convolution and moving statistics: kernel, and shift of each channel."""
    convolution, norm = block.convolution, block.norm
    if not norm:
        return tf.convert_to_tensor(convolution.kernel), block.bias
    scale = norm.gamma * tf.math.rsqrt(norm.moving_variance + norm.epsilon)
    return convolution.kernel * scale, norm.beta + (block.bias - norm.moving_mean) * scale


def _train_block(block: Block, convolution: _Images | _Plane) -> tf.Tensor:
    """Compute a block in training, with its gradient; update its moving statistics."""
    norm, dropped, function = block.norm, block.dropped, block.function
    seed = block.seed()

    @tf.custom_gradient
    def run(gamma: tf.Tensor, beta: tf.Tensor, *variables: tf.Tensor) -> tuple[tuple, Callable]:
        sign = tf.where(gamma < 0, -1.0, 1.0)
        convolution.convolve(sign, *variables)
        mean, variance, inverse_deviation = (
            tf.zeros_like(beta),
            tf.ones_like(beta),
            tf.ones_like(beta),
        )
        if norm:
            mean, variance = convolution.moments()
            inverse_deviation = tf.math.rsqrt(variance + norm.epsilon)
        scale = tf.abs(gamma) * inverse_deviation
        pooled = convolution.largest()
        bits = passes.random_bits(seed, pooled.shape) if dropped else None
        output = passes.activate(pooled, scale, beta - mean * scale, bits, dropped, function)

        def gradient(of_output: tf.Tensor, *_) -> list[tf.Tensor]:
            total, product = passes.gradient_sums(output, of_output, pooled, dropped, function)
            of_gamma = (product - mean * total) * inverse_deviation
            slope = constant = tf.zeros_like(total)
            if norm:
                slope = -scale * inverse_deviation * of_gamma / convolution.size
                constant = -scale * total / convolution.size - slope * mean
            of_convolved = convolution.convolution_gradient(
                output, of_output, (scale, constant, slope)
            )
            return [of_gamma * sign, total, *convolution.gradients(of_convolved)]

        return (output, mean * sign, variance), gradient

    affine = (norm.gamma, norm.beta) if norm else (tf.ones_like(block.bias), block.bias)
    output, mean, variance = run(*map(tf.convert_to_tensor, affine), *convolution.variables)
    if norm:
        n = convolution.size
        # TensorFlow's fused batch normalization follows the sample variance, Keras' does not.
        fused = isinstance(norm, FusedBatchNormalization)
        _update_moving_statistics(
            norm, mean + block.bias, variance * (n / max(n - 1, 1)) if fused else variance
        )
    return output


def _update_moving_statistics(
    norm: keras.layers.BatchNormalization, mean: tf.Tensor, variance: tf.Tensor
) -> None:
    """Update the moving statistics with those of a batch."""
    for moving, batch in ((norm.moving_mean, mean), (norm.moving_variance, variance)):
        batch = tf.stop_gradient(batch)
        moving.assign(moving * norm.momentum + batch * (1.0 - norm.momentum))
