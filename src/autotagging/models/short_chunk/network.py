"""Short-chunk CNN: seven small convolutions on windows of 3.7 s (Won et al. 2020)."""

from functools import partial

import keras

from autotagging.models.layers import ConvolutionBeforeNorm, batch_norm, dropout

_WIDTHS = (1, 1, 2, 2, 2, 2, 4)  # filters of each block, relative to the first


def build_short_chunk(
    *,
    input_shape: tuple[int, int],
    n_tags: int,
    filters: int,
    residual: bool,
    dropout_rate: float,
    l2: float,
    batch_norm_momentum: float,
    precision: str = "float32",
) -> keras.Model:
    """Build the short-chunk CNN.

    Parameters
    ----------
    input_shape
        Shape (mel bins, frames) of a window, in dB: (96, 173) for 3.7 s.
    n_tags
        Number of outputs: 50 in the source.
    filters
        Filters of the first block: 128 in the source. The later ones have up to four times as many,
        and the dense layer before the output four times.
    residual
        Whether blocks are residual, with two convolutions and a shortcut, or one convolution each.
    dropout_rate
        Dropout rate before the output: 0.5 in the source.
    l2
        Factor of the sum of squares of all kernels in the loss.
    batch_norm_momentum
        Momentum of the moving statistics of every batch normalization.
    precision
        Dtype policy of the convolution blocks; the other layers, with few operations, use float32.

    Returns
    -------
    model : (batch, mel bins, frames) -> (batch, n_tags)
    """
    # An epsilon as in the source; Keras' is larger.
    norm = partial(batch_norm, momentum=batch_norm_momentum, epsilon=1e-5)
    penalty = {"kernel_regularizer": keras.regularizers.L2(l2) if l2 else None}
    convolve = partial(ConvolutionBeforeNorm, kernel_size=3, padding="same", dtype=precision)
    block = partial(
        _residual_block if residual else _pooling_block,
        convolve=partial(convolve, **penalty),
        norm=partial(norm, images=True, dtype=precision),
        dtype=precision,
    )
    inputs = keras.Input(input_shape, name="log_mel")
    x = keras.layers.Reshape((*input_shape, 1), name="channel")(inputs)
    x = norm(name="input_norm")(x)
    # (96, 173, 1) -> (48, 87, 128) -> (24, 44, 128) -> (12, 22, 256) -> (6, 11, 256)
    # -> (3, 6, 256) -> (2, 3, 256) -> (1, 2, 512)
    for number, width in enumerate(_WIDTHS, start=1):
        x = block(x, number, width * filters)
    x = keras.layers.GlobalMaxPooling2D(name="maximum")(x)  # (512,)
    x = keras.layers.Dense(_WIDTHS[-1] * filters, name="hidden", **penalty)(x)
    x = norm(name="hidden_norm")(x)
    x = keras.layers.ReLU(name="hidden_relu")(x)
    x = dropout(dropout_rate, name="hidden_dropout")(x)
    outputs = keras.layers.Dense(n_tags, activation="sigmoid", name="tags", **penalty)(x)
    return keras.Model(inputs, outputs, name="short_chunk")


def _residual_block(x, number: int, filters: int, *, convolve, norm, dtype: str):
    """Two convolutions, plus a convolution of the block's input; both sizes are halved."""
    y = convolve(filters, strides=2, name=f"conv_a_{number}")(x)
    y = norm(name=f"norm_a_{number}")(y)
    y = keras.layers.ReLU(name=f"relu_a_{number}", dtype=dtype)(y)
    y = convolve(filters, name=f"conv_b_{number}")(y)
    y = norm(name=f"norm_b_{number}")(y)
    shortcut = convolve(filters, strides=2, name=f"conv_shortcut_{number}")(x)
    shortcut = norm(name=f"norm_shortcut_{number}")(shortcut)
    y = keras.layers.Add(name=f"sum_{number}", dtype=dtype)([y, shortcut])
    return keras.layers.ReLU(name=f"relu_{number}", dtype=dtype)(y)


def _pooling_block(x, number: int, filters: int, *, convolve, norm, dtype: str):
    """One convolution; both sizes are halved. Pooling comes before the ReLU, as in FCN-4."""
    x = convolve(filters, name=f"conv_{number}")(x)
    x = norm(name=f"norm_{number}")(x)
    x = keras.layers.MaxPooling2D(2, padding="same", name=f"pool_{number}", dtype=dtype)(x)
    return keras.layers.ReLU(name=f"relu_{number}", dtype=dtype)(x)
