"""Convolutions over time only, on windows (Dieleman and Schrauwen 2014; Table 4)."""

from typing import Literal

import keras

from autotagging.models.conv1d import LENGTH, POOL, check_conv1d
from autotagging.models.layers import batch_norm, log_compressed

_HIDDEN = 100


def build_conv1d(
    *,
    input_shape: tuple[int, int],
    n_tags: int,
    filters: int,
    l2: float,
    input_norm: Literal["frequency", "channel", "none"],
    batch_norm_momentum: float,
    precision: str = "float32",
) -> keras.Model:
    """Build the network on mel spectrograms of Dieleman and Schrauwen.

    Max pooling comes before the ReLU, which gives the same function with fewer operations.

    Parameters
    ----------
    input_shape
        Shape (mel bins, frames) of a window, in dB: (96, 141) for 3 s.
    n_tags
        Number of outputs: 50 in the source.
    filters
        Number of filters of each convolution: 32 in the source.
    l2
        Factor of the sum of squares of all kernels in the loss.
    input_norm
        Batch normalization of the compressed input: of each mel bin ("frequency"), of all of it
        together ("channel"), or "none".
    batch_norm_momentum
        Momentum of the moving statistics of this normalization.
    precision
        Dtype policy of the convolutions; the other layers, with few operations, use float32.

    Returns
    -------
    model : (batch, mel bins, frames) -> (batch, n_tags)

    Raises
    ------
    UserError
        See `check_conv1d`.
    """
    mel_bins, frames = input_shape
    check_conv1d(mel_bins=mel_bins, frames=frames)
    kernels = {
        "kernel_initializer": "he_normal",
        "kernel_regularizer": keras.regularizers.L2(l2) if l2 else None,
    }
    inputs = keras.Input(input_shape, name="log_mel")
    x = log_compressed(inputs)
    if input_norm == "channel":
        x = keras.layers.Reshape((mel_bins, frames, 1), name="channel")(x)
    if input_norm != "none":
        axis = {"frequency": 1, "channel": -1}[input_norm]
        x = batch_norm(axis=axis, momentum=batch_norm_momentum, name="input_norm")(x)
    if input_norm == "channel":
        x = keras.layers.Reshape((mel_bins, frames), name="mel")(x)
    x = keras.layers.Permute((2, 1), name="sequence")(x)
    # (141, 96) -> (134, 32) -> (33, 32) -> (26, 32) -> (6, 32)
    for block in (1, 2):
        x = keras.layers.Conv1D(filters, LENGTH, dtype=precision, name=f"conv_{block}", **kernels)(
            x
        )
        x = keras.layers.MaxPooling1D(POOL, dtype=precision, name=f"pool_{block}")(x)
        x = keras.layers.ReLU(dtype=precision, name=f"relu_{block}")(x)
    x = keras.layers.Flatten(name="flat")(x)  # (192,)
    x = keras.layers.Dense(_HIDDEN, activation="relu", name="hidden", **kernels)(x)
    outputs = keras.layers.Dense(n_tags, activation="sigmoid", name="tags", **kernels)(x)
    return keras.Model(inputs, outputs, name="conv1d")
