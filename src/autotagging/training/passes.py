"""Passes over the large arrays of a convolution block, each compiled to one loop by XLA.

A training step spends its time outside of the convolutions on reading and writing memory: each
function here does in one pass what separate operations do in several.

Images are (batch, height, width, channels); a plane is an image of one channel without that axis.
Pooling windows are `pool` x `pool` and don't overlap; height and width are multiples of it. Arrays
may be of lower precision; all arithmetic is in float32.
"""

import math
from collections.abc import Callable
from functools import partial, reduce, wraps
from typing import Any

import tensorflow as tf

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
    """Mean and variance of each channel: float32, (channels,)."""
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
    width = plane.shape[2] - 2
    slices = math.gcd(width, _SLICES)
    part = width // slices
    return tf.add_n(
        [
            tf.square(_convolved(plane[:, :, i * part : (i + 1) * part + 2], kernel) - mean)
            for i in range(slices)
        ]
    )


@_one_pass
def largest(images: tf.Tensor, pool: int) -> tf.Tensor:
    """Largest value of each pooling window."""
    return reduce(tf.maximum, _window(images, pool))


@_one_pass
def plane_largest(plane: tf.Tensor, kernel: tf.Tensor, pool: int, dtype: tf.DType) -> tf.Tensor:
    """Largest value of each pooling window of the convolution of a padded plane."""
    return tf.cast(reduce(tf.maximum, _convolved_window(plane, kernel, pool)), dtype)


@_one_pass
def winner(images: tf.Tensor, pool: int) -> tf.Tensor:
    """Index in its pooling window of the first largest value: uint8, row by row."""
    return _first_largest(_window(images, pool))


@_one_pass
def plane_winner(plane: tf.Tensor, kernel: tf.Tensor, pool: int) -> tf.Tensor:
    """Compute `winner` for the convolution of a padded plane."""
    return _first_largest(_convolved_window(plane, kernel, pool))


@_one_pass
def activate(
    pooled: tf.Tensor, scale: tf.Tensor, shift: tf.Tensor, bits: tf.Tensor | None, dropped: int
) -> tf.Tensor:
    """Scale and shift each channel, then apply ELU and dropout.

    Parameters
    ----------
    pooled : (batch, height, width, channels)
    scale, shift : float32, (channels,)
    bits
        Random bits from `random_bits`; None: no dropout.
    dropped
        Number of elements to drop, out of 65536.
    """
    x = _elu(tf.cast(pooled, tf.float32) * scale + shift)
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
    output: tf.Tensor, of_output: tf.Tensor, pooled: tf.Tensor, dropped: int
) -> tf.Tensor:
    """Compute the slices that `gradient_sums` adds up."""
    before = [
        _before_activation(*rows, dropped)
        for rows in zip(_row_slices(output), _row_slices(of_output), strict=True)
    ]
    products = [a * b for a, b in zip(before, _row_slices(pooled), strict=True)]
    return _pair(tf.add_n(before), tf.add_n(products))


def gradient_sums(
    output: tf.Tensor, of_output: tf.Tensor, pooled: tf.Tensor, dropped: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """Sum d and d * pooled over each channel; d is the gradient before `activate`'s ELU."""
    if on_gpu():
        return _gradient_sums(output, of_output, pooled, dropped)
    return _sums_of_pairs(gradient_slices(output, of_output, pooled, dropped))


@_one_pass
def _gradient_sums(
    output: tf.Tensor, of_output: tf.Tensor, pooled: tf.Tensor, dropped: int
) -> tuple[tf.Tensor, tf.Tensor]:
    before = _before_activation(output, of_output, dropped)
    products = before * tf.cast(pooled, tf.float32)
    return tf.reduce_sum(before, [0, 1, 2]), tf.reduce_sum(products, [0, 1, 2])


def _spread(
    images: tf.Tensor,
    winners: tf.Tensor,
    output: tf.Tensor,
    of_output: tf.Tensor,
    factors: tuple[tf.Tensor, tf.Tensor, tf.Tensor],
    pool: int,
    dropped: int,
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
    at_winner, constant, slope = factors
    place = tf.cast(tf.reshape(tf.range(pool * pool), (1, 1, pool, 1, pool, 1)), tf.uint8)
    before = _before_activation(output, of_output, dropped) * at_winner
    windows = (batch, height // pool, pool, width // pool, pool, channels)
    gradient = constant + slope * tf.reshape(tf.cast(images, tf.float32), windows)
    gradient += tf.where(_widened(winners) == place, _widened(before), 0.0)
    return tf.cast(tf.reshape(gradient, images.shape), output.dtype)


spread = _one_pass(_spread)


@_one_pass
def plane_spread(plane: tf.Tensor, kernel: tf.Tensor, *of_windows: Any) -> tf.Tensor:
    """Compute `spread` for the convolution of a padded plane, with the other arguments of it."""
    return _spread(_convolved(plane, kernel), *of_windows)


@_one_pass
def score(images: tf.Tensor, shift: tf.Tensor, pool: int) -> tf.Tensor:
    """Pool, shift each channel, and apply ELU."""
    pooled = reduce(tf.maximum, _window(images, pool))
    return tf.cast(_elu(tf.cast(pooled, tf.float32) + shift), images.dtype)


@_one_pass
def plane_score(
    plane: tf.Tensor, kernel: tf.Tensor, shift: tf.Tensor, pool: int, dtype: tf.DType
) -> tf.Tensor:
    """Compute `score` for the convolution of a padded plane."""
    pooled = reduce(tf.maximum, _convolved_window(plane, kernel, pool))
    return tf.cast(_elu(pooled + shift), dtype)


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


def _window(images: tf.Tensor, pool: int) -> list[tf.Tensor]:
    return [images[:, i::pool, j::pool] for i in range(pool) for j in range(pool)]


def _convolved_window(plane: tf.Tensor, kernel: tf.Tensor, pool: int) -> list[tf.Tensor]:
    """Convolve for each place in a pooling window."""
    height, width = plane.shape[1] - 2, plane.shape[2] - 2
    return [
        _convolved(plane[:, i : height - pool + i + 3, j : width - pool + j + 3], kernel, pool)
        for i in range(pool)
        for j in range(pool)
    ]


def _convolved(plane: tf.Tensor, kernel: tf.Tensor, stride: int = 1) -> tf.Tensor:
    height, width = plane.shape[1] - 2, plane.shape[2] - 2
    return tf.add_n(
        [
            plane[:, i : i + height : stride, j : j + width : stride, None] * kernel[i, j]
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


def _elu(x: tf.Tensor) -> tf.Tensor:
    return tf.where(x > 0, x, tf.exp(tf.minimum(x, 0.0)) - 1)


def _kept_scale(dropped: int) -> float:
    return 65536 / (65536 - dropped)


def _before_activation(output: tf.Tensor, of_output: tf.Tensor, dropped: int) -> tf.Tensor:
    """Gradient before ELU and dropout, from their output only: dropped elements are 0 there."""
    scale = _kept_scale(dropped)
    output, of_output = tf.cast(output, tf.float32), tf.cast(of_output, tf.float32)
    gradient = of_output * tf.where(output > 0, scale, output + scale)
    return tf.where(output == 0, 0.0, gradient) if dropped else gradient


def _widened(pooled: tf.Tensor) -> tf.Tensor:
    return pooled[:, :, None, :, None, :]
