"""Training and scoring of a network on a CPU: the function of its layers, in fewer passes.

Blocks of convolution, batch normalization, max pooling, ELU or ReLU, and dropout are computed as a
whole, with explicit gradients; other layers are called as they are. The weights are those of the
layers.

Batch normalization is an affine function of each channel's outputs. So the pooling comes first,
with the kernel's sign changed where the slope is negative, and later operations have fewer
elements. The gradient of the normalization (Ioffe and Szegedy 2015) is also affine in these
outputs: it is combined with that of the pooling in one pass.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise, takewhile

import keras
import tensorflow as tf

from autotagging.training import passes

_Moments = tuple[tf.Tensor, tf.Tensor]
_Factors = tuple[tf.Tensor, tf.Tensor, tf.Tensor]
_PLACING = (keras.layers.Reshape, keras.layers.ZeroPadding2D, keras.layers.Rescaling)
_KINDS = {
    "norm": keras.layers.BatchNormalization,
    "pooling": keras.layers.MaxPooling2D,
    "activation": (keras.layers.ELU, keras.layers.ReLU),
    "dropout": keras.layers.Dropout,
}


def fuse(model: keras.Model) -> "FusedNetwork | None":
    """Find the blocks of a network; None if its layers can't be fused.

    The layers must form a chain:

    - layers without variables, if any;
    - batch normalization of the mel bins, if any;
    - layers that place the spectrogram in a larger plane, in the same way for all rows;
    - blocks: a convolution of 3 x 3 with same padding; batch normalization, if any; max pooling,
      and ELU or ReLU before or after it; dropout, if any;
    - layers other than two-dimensional convolution and max pooling.
    """
    if any(layer.input is not before.output for before, layer in pairwise(model.layers)):
        return None
    chain = model.layers[1:]
    starts = [i for i, layer in enumerate(chain) if isinstance(layer, keras.layers.Conv2D)]
    if not starts or not all(layer.trainable for layer in chain):
        return None
    head = _head(model.input, chain[: starts[0]])
    rest, blocks = chain[starts[0] :], []
    while rest and isinstance(rest[0], keras.layers.Conv2D):
        blocks.append(_take_block(rest))
    of_blocks = (keras.layers.Conv2D, keras.layers.MaxPooling2D)
    if head is None or None in blocks or any(isinstance(layer, of_blocks) for layer in rest):
        return None
    return FusedNetwork(model, head, blocks)


@dataclass(frozen=True)
class _Head:
    """Layers before the blocks.

    Attributes
    ----------
    prepared
        Output of the layers without variables.
    norm
        Batch normalization of the mel bins, or None.
    placed : (batch, height, width, 1)
        Output of the last layer.
    """

    prepared: keras.KerasTensor
    norm: keras.layers.BatchNormalization | None
    placed: keras.KerasTensor


def _head(spectrogram: keras.KerasTensor, layers: list[keras.Layer]) -> _Head | None:
    """Divide the layers before the blocks; None if they are of other kinds."""
    placing = list(takewhile(lambda layer: isinstance(layer, _PLACING), reversed(layers)))
    before = layers[: len(layers) - len(placing)]
    normalized = before and isinstance(before[-1], keras.layers.BatchNormalization)
    norm = before.pop() if normalized else None
    prepared = before[-1].output if before else spectrogram
    placed = layers[-1].output if layers else spectrogram
    fits = (
        not any(layer.variables for layer in before)
        and (len(placed.shape), placed.shape[-1]) == (4, 1)
        and placed.shape[1] == prepared.shape[1]
    )
    if norm:
        fits &= (norm.axis, norm.center, norm.scale, len(prepared.shape)) == (1, True, True, 3)
    return _Head(prepared, norm, placed) if fits else None


@dataclass(frozen=True)
class _Block:
    """Layers of a block, and its output."""

    convolution: keras.layers.Conv2D
    output: keras.KerasTensor
    pooling: keras.layers.MaxPooling2D
    activation: keras.layers.ELU | keras.layers.ReLU
    norm: keras.layers.BatchNormalization | None = None
    dropout: keras.layers.Dropout | None = None

    @property
    def dtype(self) -> tf.DType:
        return tf.as_dtype(self.convolution.compute_dtype)

    @property
    def bias(self) -> tf.Tensor:
        bias = self.convolution.bias
        return tf.zeros(self.convolution.filters) if bias is None else tf.convert_to_tensor(bias)

    @property
    def pool(self) -> passes.Pool:
        return self.pooling.pool_size

    @property
    def function(self) -> passes.Activation:
        return "elu" if isinstance(self.activation, keras.layers.ELU) else "relu"

    @property
    def dropped(self) -> int:
        """Number of elements that dropout drops, out of 65536."""
        return min(round(65536 * self.dropout.rate), 65535) if self.dropout else 0

    def seed(self) -> tf.Tensor | None:
        """Draw the next seed of the dropout layer."""
        return tf.cast(self.dropout.seed_generator.next(), tf.int32) if self.dropped else None


def _take_block(layers: list[keras.Layer]) -> _Block | None:
    """Remove the layers of a block from the start of a list; None if they don't form one."""
    convolution = last = layers.pop(0)
    found = {}
    for kind in ("norm", "pooling", "activation", "pooling", "dropout"):
        if layers and kind not in found and isinstance(layers[0], _KINDS[kind]):
            found[kind] = last = layers.pop(0)
    if not {"pooling", "activation"} <= found.keys():
        return None
    block = _Block(convolution, last.output, **found)
    return block if _fits(block) else None


def _fits(block: _Block) -> bool:
    """Tell whether the options of the layers are those that are implemented."""
    convolution, norm, pooling = block.convolution, block.norm, block.pooling
    return (
        (convolution.kernel_size, convolution.strides) == ((3, 3), (1, 1))
        and (convolution.padding, convolution.dilation_rate) == ("same", (1, 1))
        and (convolution.groups, convolution.activation) == (1, keras.activations.linear)
        and (norm is None or (norm.axis, norm.center, norm.scale) == (-1, True, True))
        and (pooling.strides, pooling.padding) == (pooling.pool_size, "valid")
        and math.prod(pooling.pool_size) <= 256  # indices in a window have 8 bits
        and _is_elu_or_relu(block.activation)
        and (block.dropout is None or block.dropout.noise_shape is None)
    )


def _is_elu_or_relu(layer: keras.layers.ELU | keras.layers.ReLU) -> bool:
    """Tell whether the function of a layer is the one that its name says."""
    if isinstance(layer, keras.layers.ELU):
        return layer.alpha == 1
    return (layer.max_value, layer.negative_slope, layer.threshold) == (None, 0, 0)


class FusedNetwork:
    """A network with fused blocks, created by `fuse`.

    Each batch size is compiled separately, so there should be few.
    """

    def __init__(self, model: keras.Model, head: _Head, blocks: list[_Block]):
        self._input_norm, self._blocks = head.norm, blocks
        self._prepare = keras.Model(model.input, head.prepared)
        placed = keras.Model(head.norm.output if head.norm else head.prepared, head.placed)
        self._place = lambda mel: placed(mel)[..., 0]
        self._tail = keras.Model(blocks[-1].output, model.output)

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
        x = _train_block(first, self._plane(self._prepare(mel)))
        for block in others:
            x = _train_block(block, _Images(block, x))
        return self._tail(x, training=True)

    def score(self, mel: tf.Tensor) -> tf.Tensor:
        """Score with the moving statistics; shapes as in `train`."""
        x = self._prepare(mel)
        if self._input_norm:
            x = self._input_norm(x, training=False)
        for block in self._blocks:
            kernel, shift = _scoring_affine(block)
            if block is self._blocks[0]:
                plane, kernel = passes.padded(self._place(x)), kernel[:, :, 0]
                x = passes.plane_score(
                    plane, kernel, shift, block.pool, block.function, block.dtype
                )
            else:
                convolved = tf.nn.conv2d(x, tf.cast(kernel, block.dtype), 1, "SAME")
                x = passes.score(convolved, shift, block.pool, block.function)
        return self._tail(x, training=False)

    def _plane(self, mel: tf.Tensor) -> "_Plane":
        """Normalize the mel bins over the batch and prepare the convolution of the first block."""
        bins = mel.shape[1]
        scale, shift = tf.ones(bins), tf.zeros(bins)
        if norm := self._input_norm:
            mean, variance = tf.nn.moments(mel, [0, 2])
            _follow(norm, mean, variance)
            mel = (mel - mean[:, None]) * tf.math.rsqrt(variance + norm.epsilon)[:, None]
            scale, shift = map(tf.convert_to_tensor, (norm.gamma, norm.beta))
        padding = self._place(tf.zeros_like(mel[:1]))
        inside = self._place(tf.ones_like(mel[:1])) - padding
        return _Plane(self._blocks[0], self._place(mel) - padding, inside, padding, scale, shift)


class _Images:
    """The convolution of a block with many input channels."""

    def __init__(self, block: _Block, images: tf.Tensor):
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

    def spread(self, output: tf.Tensor, of_output: tf.Tensor, factors: _Factors) -> tf.Tensor:
        block = self._block
        winners = passes.winner(self._output, block.pool)
        options = (block.pool, block.dropped, block.function)
        return passes.spread(self._output, winners, output, of_output, factors, *options)

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
        block: _Block,
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

    def spread(self, output: tf.Tensor, of_output: tf.Tensor, factors: _Factors) -> tf.Tensor:
        block, plane = self._block, (self._padded, self._kernel)
        winners = passes.plane_winner(*plane, block.pool)
        options = (block.pool, block.dropped, block.function)
        return passes.plane_spread(*plane, winners, output, of_output, factors, *options)

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


def _scoring_affine(block: _Block) -> tuple[tf.Tensor, tf.Tensor]:
    """Combine a block's convolution and moving statistics: kernel, and shift of each channel."""
    convolution, norm = block.convolution, block.norm
    if not norm:
        return tf.convert_to_tensor(convolution.kernel), block.bias
    scale = norm.gamma * tf.math.rsqrt(norm.moving_variance + norm.epsilon)
    return convolution.kernel * scale, norm.beta + (block.bias - norm.moving_mean) * scale


def _train_block(block: _Block, convolution: _Images | _Plane) -> tf.Tensor:
    """Compute a block in training, with its gradient; update its moving statistics."""
    norm, dropped, function = block.norm, block.dropped, block.function
    seed = block.seed()

    @tf.custom_gradient
    def run(gamma: tf.Tensor, beta: tf.Tensor, *variables: tf.Tensor) -> tuple[tuple, Callable]:
        sign = tf.where(gamma < 0, -1.0, 1.0)
        convolution.convolve(sign, *variables)
        mean, variance, deviation = tf.zeros_like(beta), tf.ones_like(beta), tf.ones_like(beta)
        if norm:
            mean, variance = convolution.moments()
            deviation = tf.math.rsqrt(variance + norm.epsilon)
        scale = tf.abs(gamma) * deviation
        pooled = convolution.largest()
        bits = passes.random_bits(seed, pooled.shape) if dropped else None
        output = passes.activate(pooled, scale, beta - mean * scale, bits, dropped, function)

        def gradient(of_output: tf.Tensor, *_) -> list[tf.Tensor]:
            total, product = passes.gradient_sums(output, of_output, pooled, dropped, function)
            of_gamma = (product - mean * total) * deviation
            slope = constant = tf.zeros_like(total)
            if norm:
                slope = -scale * deviation * of_gamma / convolution.size
                constant = -scale * total / convolution.size - slope * mean
            of_convolved = convolution.spread(output, of_output, (scale, constant, slope))
            return [of_gamma * sign, total, *convolution.gradients(of_convolved)]

        return (output, mean * sign, variance), gradient

    affine = (norm.gamma, norm.beta) if norm else (tf.ones_like(block.bias), block.bias)
    output, mean, variance = run(*map(tf.convert_to_tensor, affine), *convolution.variables)
    if norm:
        # The sample variance, as in TensorFlow's fused batch normalization.
        n = convolution.size
        _follow(norm, mean + block.bias, variance * (n / (n - 1)))
    return output


def _follow(norm: keras.layers.BatchNormalization, mean: tf.Tensor, variance: tf.Tensor) -> None:
    """Update the moving statistics with those of a batch."""
    for moving, batch in ((norm.moving_mean, mean), (norm.moving_variance, variance)):
        batch = tf.stop_gradient(batch)
        moving.assign(moving * norm.momentum + batch * (1.0 - norm.momentum))
