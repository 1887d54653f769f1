"""Passes over the large arrays of a convolution block, each compiled to one loop by XLA.

A training step spends its time outside of the convolutions on reading and writing memory: each
function here does in one pass what separate operations do in several.

Images are (batch, height, width, channels); a plane is an image of one channel without that axis.
Pooling windows have the height and width `pool` and don't overlap; rows and columns beyond the last
whole window are in none. Arrays may be of lower precision; all arithmetic is in float32.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial, reduce, wraps
from typing import Any, Literal

import tensorflow as tf

Activation = Literal["elu", "relu"]
Pool = tuple[int, int]

# A sum over rows is faster if this many slices are added first, and then the remaining rows.
_SLICES = 8
_TAPS = [(row, column) for row in range(3) for column in range(3)]


def on_gpu() -> bool:
    """Tell whether the network is on a GPU, where XLA adds up any shape well."""
    return bool(tf.config.get_visible_devices("GPU"))


def _one_pass(function: Callable) -> Callable:
    """Compile a function at each call; it is for graphs, which call it once."""

    @wraps(function)
    def call(*arguments: Any) -> tf.Tensor:
        # One compiled function for all shapes would work, but TensorFlow warns about retracing.
        return tf.function(partial(function), jit_compile=True, autograph=False)(*arguments)

    return call


def moments(images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Mean and variance of each channel: float32, (channels,).

    The variance is a difference of two sums: where the mean of a channel is 5 or 30 times its
    deviation, the variance has relative errors of up to 0.06 % or 3 %. In trained CRNNs and FCN-4s
    it was at most 4 times; the bias of the convolution is not part of it.
    """
    total, squares = _moment_sums(images) if on_gpu() else _sums_of_pairs(_moment_slices(images))
    n = images.shape.num_elements() / images.shape[-1]
    return total / n, tf.maximum(squares / n - (total / n) ** 2, 0.0)


@_one_pass
def _moment_sums(images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    images = tf.cast(images, tf.float32)
    return tf.reduce_sum(images, [0, 1, 2]), tf.reduce_sum(images * images, [0, 1, 2])


@_one_pass
def _moment_slices(images: tf.Tensor) -> tf.Tensor:
    slices = _row_slices(images)
    return _pair(tf.add_n(slices), tf.add_n([rows * rows for rows in slices]))


def plane_moments(plane: tf.Tensor, kernel: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Mean and variance of each channel of a plane's convolution: float32, (channels,).

    Parameters
    ----------
    plane : float32, (batch, height, width)
    kernel : float32, (3, 3, channels)
    """
    n = plane.shape.num_elements()
    height, width = plane.shape[1:]
    of_batch = tf.pad(tf.reduce_sum(plane, 0), [[1, 1], [1, 1]])
    mean = tf.add_n(
        [
            tf.reduce_sum(of_batch[i : i + height, j : j + width]) / n * kernel[i, j]
            for i, j in _TAPS
        ]
    )
    if on_gpu():
        return mean, _sum_of_squares(padded(plane), kernel, mean) / n
    squares = _square_slices(padded(plane), kernel, mean)
    squares = tf.reshape(squares, (-1, kernel.shape[-1]))
    return mean, tf.matmul(tf.ones((1, squares.shape[0])), squares)[0] / n


@_one_pass
def _sum_of_squares(plane: tf.Tensor, kernel: tf.Tensor, mean: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(tf.square(_convolved(plane, kernel) - mean), [0, 1, 2])


@_one_pass
def _square_slices(plane: tf.Tensor, kernel: tf.Tensor, mean: tf.Tensor) -> tf.Tensor:
    # Slices of the width, or of the height, if that can be cut into more.
    axis = max(2, 1, key=lambda axis: math.gcd(plane.shape[axis] - 2, _SLICES))
    size = plane.shape[axis] - 2
    part = size // math.gcd(size, _SLICES)
    cuts = [slice(start, start + part + 2) for start in range(0, size, part)]
    slices = [plane[:, cut] if axis == 1 else plane[:, :, cut] for cut in cuts]
    return tf.add_n([tf.square(_convolved(rows, kernel) - mean) for rows in slices])


@_one_pass
def largest(images: tf.Tensor, pool: Pool) -> tf.Tensor:
    """Largest value of each pooling window."""
    return reduce(tf.maximum, _window(images, pool))


@_one_pass
def plane_largest(plane: tf.Tensor, kernel: tf.Tensor, pool: Pool, dtype: tf.DType) -> tf.Tensor:
    """Largest value of each pooling window of the convolution of a padded plane."""
    return tf.cast(reduce(tf.maximum, _convolved_window(plane, kernel, pool)), dtype)


@_one_pass
def winner(images: tf.Tensor, pool: Pool) -> tf.Tensor:
    """Index in its pooling window of the first largest value: uint8, row by row."""
    return _first_largest(_window(images, pool))


@_one_pass
def plane_winner(plane: tf.Tensor, kernel: tf.Tensor, pool: Pool) -> tf.Tensor:
    """Compute `winner` for the convolution of a padded plane."""
    return _first_largest(_convolved_window(plane, kernel, pool))


@_one_pass
def activate(
    pooled: tf.Tensor,
    scale: tf.Tensor,
    shift: tf.Tensor,
    bits: tf.Tensor | None,
    dropped: int,
    activation: Activation,
) -> tf.Tensor:
    """Scale and shift each channel, then apply the activation and dropout.

    Parameters
    ----------
    pooled : (batch, height, width, channels)
    scale, shift : float32, (channels,)
    bits
        Random bits from `random_bits`; None: no dropout.
    dropped
        Number of elements to drop, out of 65536.
    activation
        "elu" or "relu".
    """
    x = _activated(tf.cast(pooled, tf.float32) * scale + shift, activation)
    if bits is not None:
        parts = pooled.shape.num_elements() // bits.shape.num_elements()
        shifts = tf.constant([[[0]], [[16]]], tf.uint32)[:parts]
        drawn = tf.bitwise.bitwise_and(tf.bitwise.right_shift(bits[None], shifts), 0xFFFF)
        kept = tf.reshape(drawn >= tf.constant(dropped, tf.uint32), pooled.shape)
        x = tf.where(kept, x * _kept_scale(dropped), 0.0)
    return tf.cast(x, pooled.dtype)


def random_bits(seed: tf.Tensor, shape: tf.TensorShape) -> tf.Tensor:
    """Draw the bits for `activate` with Threefry, at least 16 for each element.

    Parameters
    ----------
    seed : int32, (2,)
        Seed that determines the bits.
    shape
        Shape of the images: (batch, height, width, channels).

    Returns
    -------
    bits : uint32, (rows, channels)
        Half as many rows as the images have, if their number is even.
    """
    rows = shape.num_elements() // shape[-1]
    return _threefry(seed, rows // math.gcd(rows, 2), shape[-1])


@_one_pass
def _threefry(seed: tf.Tensor, rows: int, columns: int) -> tf.Tensor:
    shape = (rows, columns)
    return tf.random.stateless_uniform(shape, seed, None, None, tf.uint32, alg="threefry")


@_one_pass
def gradient_slices(
    output: tf.Tensor,
    of_output: tf.Tensor,
    pooled: tf.Tensor,
    dropped: int,
    activation: Activation,
) -> tf.Tensor:
    """Compute the slices that `gradient_sums` adds up."""
    before = [
        _before_activation(*rows, dropped, activation)
        for rows in zip(_row_slices(output), _row_slices(of_output), strict=True)
    ]
    products = [a * b for a, b in zip(before, _row_slices(pooled), strict=True)]
    return _pair(tf.add_n(before), tf.add_n(products))


def gradient_sums(
    output: tf.Tensor,
    of_output: tf.Tensor,
    pooled: tf.Tensor,
    dropped: int,
    activation: Activation,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Sum d and d * pooled over each channel; d is the gradient before the activation."""
    if on_gpu():
        return _gradient_sums(output, of_output, pooled, dropped, activation)
    return _sums_of_pairs(gradient_slices(output, of_output, pooled, dropped, activation))


@_one_pass
def _gradient_sums(
    output: tf.Tensor,
    of_output: tf.Tensor,
    pooled: tf.Tensor,
    dropped: int,
    activation: Activation,
) -> tuple[tf.Tensor, tf.Tensor]:
    before = _before_activation(output, of_output, dropped, activation)
    products = before * tf.cast(pooled, tf.float32)
    return tf.reduce_sum(before, [0, 1, 2]), tf.reduce_sum(products, [0, 1, 2])


def _convolution_gradient(
    images: tf.Tensor,
    winners: tf.Tensor,
    output: tf.Tensor,
    of_output: tf.Tensor,
    factors: tuple[tf.Tensor, tf.Tensor, tf.Tensor],
    pool: Pool,
    dropped: int,
    activation: Activation,
) -> tf.Tensor:
    """Gradient of a convolution's output: a * d at each window's winner, plus b + c * images.

    Parameters
    ----------
    images : (batch, height, width, channels)
        Output of the convolution.
    winners
        Indices from `winner`.
    output, of_output
        Output of `activate`, and its gradient.
    factors
        a, b, c : float32, (channels,)
    """
    batch, height, width, channels = images.shape
    rows, columns = pool
    at_winner, constant, slope = factors
    place = tf.cast(tf.reshape(tf.range(rows * columns), (1, 1, rows, 1, columns, 1)), tf.uint8)
    before = _before_activation(output, of_output, dropped, activation) * at_winner
    of_windows = tf.where(_widened(winners) == place, _widened(before), 0.0)
    whole = _whole_windows((height, width), pool)
    of_windows = tf.reshape(of_windows, (batch, *whole, channels))
    beyond = [[0, 0], [0, height - whole[0]], [0, width - whole[1]], [0, 0]]
    of_windows = tf.pad(of_windows, beyond)
    gradient = constant + slope * tf.cast(images, tf.float32) + of_windows
    return tf.cast(gradient, output.dtype)


convolution_gradient = _one_pass(_convolution_gradient)


@_one_pass
def plane_convolution_gradient(plane: tf.Tensor, kernel: tf.Tensor, *of_windows: Any) -> tf.Tensor:
    """Compute `convolution_gradient` of a padded plane's convolution; other arguments as there."""
    return _convolution_gradient(_convolved(plane, kernel), *of_windows)


@_one_pass
def pooled_activation(
    images: tf.Tensor, shift: tf.Tensor, pool: Pool, activation: Activation
) -> tf.Tensor:
    """Pool, shift each channel, and apply the activation."""
    pooled = tf.cast(reduce(tf.maximum, _window(images, pool)), tf.float32)
    return tf.cast(_activated(pooled + shift, activation), images.dtype)


@_one_pass
def plane_pooled_activation(
    plane: tf.Tensor,
    kernel: tf.Tensor,
    shift: tf.Tensor,
    pool: Pool,
    activation: Activation,
    dtype: tf.DType,
) -> tf.Tensor:
    """Compute `pooled_activation` for the convolution of a padded plane."""
    pooled = reduce(tf.maximum, _convolved_window(plane, kernel, pool))
    return tf.cast(_activated(pooled + shift, activation), dtype)


def padded(plane: tf.Tensor) -> tf.Tensor:
    """Add a row or column of zeros at each edge, as a convolution with same padding does."""
    return tf.pad(plane, [[0, 0], [1, 1], [1, 1]])


def _row_slices(images: tf.Tensor) -> list[tf.Tensor]:
    """Cut rows of channels into equal slices, as float32."""
    channels = images.shape[-1]
    rows = images.shape.num_elements() // channels
    slices = math.gcd(rows, _SLICES)
    cut = tf.reshape(images, (slices, rows // slices, channels))
    return [tf.cast(cut[i], tf.float32) for i in range(slices)]


def _pair(low: tf.Tensor, high: tf.Tensor) -> tf.Tensor:
    """Put two float32 arrays into one of uint64: XLA makes one pass for each array it returns."""
    low, high = (tf.cast(tf.bitcast(half, tf.uint32), tf.uint64) for half in (low, high))
    return tf.bitwise.bitwise_or(low, tf.bitwise.left_shift(high, tf.constant(32, tf.uint64)))


def _sums_of_pairs(pairs: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Sum each channel of the result of `_pair`: low and high, (channels,)."""
    channels = pairs.shape[-1]
    rows = tf.reshape(tf.bitcast(pairs, tf.float32), (-1, 2 * channels))
    sums = tf.reshape(tf.matmul(tf.ones((1, rows.shape[0])), rows), (channels, 2))
    return sums[:, 0], sums[:, 1]


def _window(images: tf.Tensor, pool: Pool) -> list[tf.Tensor]:
    """Give the value at each place in a pooling window, row by row."""
    height, width = _whole_windows(images.shape[1:3], pool)
    return [
        images[:, i : height : pool[0], j : width : pool[1]]
        for i in range(pool[0])
        for j in range(pool[1])
    ]


def _convolved_window(plane: tf.Tensor, kernel: tf.Tensor, pool: Pool) -> list[tf.Tensor]:
    """Convolve for each place in a pooling window."""
    height, width = _whole_windows((plane.shape[1] - 2, plane.shape[2] - 2), pool)
    last_row, last_column = height - pool[0] + 3, width - pool[1] + 3
    return [
        _convolved(plane[:, i : last_row + i, j : last_column + j], kernel, pool)
        for i in range(pool[0])
        for j in range(pool[1])
    ]


def _whole_windows(size: Sequence[int], pool: Pool) -> tuple[int, int]:
    """Height and width of the part of an image that has whole pooling windows."""
    return size[0] // pool[0] * pool[0], size[1] // pool[1] * pool[1]


def _convolved(plane: tf.Tensor, kernel: tf.Tensor, strides: Pool = (1, 1)) -> tf.Tensor:
    height, width = plane.shape[1] - 2, plane.shape[2] - 2
    down, right = strides
    return tf.add_n(
        [
            plane[:, i : i + height : down, j : j + width : right, None] * kernel[i, j]
            for i, j in _TAPS
        ]
    )


def _first_largest(values: list[tf.Tensor]) -> tf.Tensor:
    best, index = values[0], tf.zeros(values[0].shape, tf.uint8)
    for i, value in enumerate(values[1:], start=1):
        larger = value > best
        index = tf.where(larger, tf.constant(i, tf.uint8), index)
        best = tf.where(larger, value, best)
    return index


def _activated(x: tf.Tensor, activation: Activation) -> tf.Tensor:
    below = tf.exp(tf.minimum(x, 0.0)) - 1 if activation == "elu" else 0.0
    return tf.where(x > 0, x, below)


def _kept_scale(dropped: int) -> float:
    return 65536 / (65536 - dropped)


def _before_activation(
    output: tf.Tensor, of_output: tf.Tensor, dropped: int, activation: Activation
) -> tf.Tensor:
    """Gradient before activation and dropout, from their output only.

    Dropped elements are 0 there. So are those that ReLU sets to 0, with the same gradient, 0.
    """
    scale = _kept_scale(dropped)
    output, of_output = tf.cast(output, tf.float32), tf.cast(of_output, tf.float32)
    if activation == "relu":
        return tf.where(output > 0, of_output * scale, 0.0)
    gradient = of_output * tf.where(output > 0, scale, output + scale)
    return tf.where(output == 0, 0.0, gradient) if dropped else gradient


def _widened(pooled: tf.Tensor) -> tf.Tensor:
    return pooled[:, :, None, :, None, :]
