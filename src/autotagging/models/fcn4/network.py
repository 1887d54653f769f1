"""FCN-4: four convolutions down to one position (Choi, Fazekas and Sandler 2016; Table 4)."""

from functools import partial
from typing import Literal

import keras

from autotagging.models.fcn4 import check_fcn4
from autotagging.models.layers import ConvolutionBeforeNorm, batch_norm, dropout, scaled_counts

_FILTERS = (128, 384, 768, 2048)
_POOLS = ((2, 4), (4, 5), (3, 8), (4, 8))  # (mel bins, frames), 96 x 1280 in all


def build_fcn4(
    *,
    input_shape: tuple[int, int],
    n_tags: int,
    width: float,
    pool_dropout: float,
    input_norm: Literal["frequency", "none"],
    batch_norm_momentum: float,
    precision: str = "float32",
) -> keras.Model:
    """Build FCN-4.

    Max pooling comes before the ReLU. The ReLU is monotone, so the function is the same as the
    source's, but the ReLU is computed on fewer elements.

    Parameters
    ----------
    input_shape
        Shape (mel bins, frames) of the input, in dB: (96, 1366).
    n_tags
        Number of outputs: 50 in the source.
    width
        Factor of the numbers of filters, 128, 384, 768 and 2048 at 1.0.
    pool_dropout
        Dropout rate after each pooling: 0.5 in the source.
    input_norm
        Batch normalization of the input: of its mel bins ("frequency"), or "none".
    batch_norm_momentum
        Momentum of the moving statistics of every batch normalization.
    precision
        Dtype policy of the convolution blocks; the other layers, with few operations, use float32.

    Returns
    -------
    model : (batch, mel bins, frames) -> (batch, n_tags)

    Raises
    ------
    UserError
        See `check_fcn4`.
    """
    mel_bins, frames = input_shape
    check_fcn4(mel_bins=mel_bins, frames=frames)
    norm = partial(batch_norm, momentum=batch_norm_momentum)
    x = inputs = keras.Input(input_shape, name="log_mel")
    if input_norm == "frequency":
        x = norm(axis=1, name="input_norm")(x)
    x = keras.layers.Reshape((mel_bins, frames, 1), name="channel")(x)
    # (96, 1366, 1) -> (48, 341, 128) -> (12, 68, 384) -> (4, 8, 768) -> (1, 1, 2048)
    for block, (filters, pool) in enumerate(
        zip(scaled_counts(_FILTERS, width), _POOLS, strict=True), start=1
    ):
        x = ConvolutionBeforeNorm(
            filters, 3, padding="same", dtype=precision, name=f"conv_{block}"
        )(x)
        x = norm(images=True, name=f"norm_{block}", dtype=precision)(x)
        x = keras.layers.MaxPooling2D(pool, dtype=precision, name=f"pool_{block}")(x)
        x = keras.layers.ReLU(dtype=precision, name=f"relu_{block}")(x)
        x = dropout(pool_dropout, dtype=precision, name=f"dropout_{block}")(x)
    x = keras.layers.Flatten(name="flat")(x)  # (2048,)
    outputs = keras.layers.Dense(n_tags, activation="sigmoid", name="tags")(x)
    return keras.Model(inputs, outputs, name="fcn4")
