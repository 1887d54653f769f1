"""musicnn: filters for timbre and for rhythm on windows (Pons and Serra 2019)."""

from functools import partial

import keras

from autotagging.models.layers import batch_norm, dropout, log_compressed, scaled_counts
from autotagging.models.musicnn import check_musicnn

_TIMBRAL, _TEMPORAL = 204, 51  # filters of each shape
_TIMBRAL_HEIGHTS = (0.7, 0.4)  # shares of the mel bins
_LENGTH = 7  # frames of a timbral filter and of the later convolutions


def build_musicnn(
    *,
    input_shape: tuple[int, int],
    n_tags: int,
    width: float,
    temporal_frames: int,
    middle_filters: int,
    hidden_units: int,
    dropout_rate: float,
    l2: float,
    batch_norm_momentum: float,
    precision: str = "float32",
) -> keras.Model:
    """Build musicnn.

    Parameters
    ----------
    input_shape
        Shape (mel bins, frames) of a window, in dB: (96, 141) for 3 s.
    n_tags
        Number of outputs: 50 in the source.
    width
        Factor of the numbers of timbral and temporal filters, 204 and 51 of each shape at 1.0.
    temporal_frames
        Length of the longest temporal filters; the others have a half and a quarter of it. It is
        128 frames of 16 ms in the source, which last as long as 96 frames of 21.3 ms.
    middle_filters
        Number of filters of each of the three convolutions over time: 64 in the source.
    hidden_units
        Units of the dense layer before the output: 200 in the source.
    dropout_rate
        Dropout rate before both dense layers: 0.5 in the source.
    l2
        Factor of the sum of squares of all kernels in the loss.
    batch_norm_momentum
        Momentum of the moving statistics of every batch normalization.
    precision
        Dtype policy of the convolutions; the other layers, with few operations, use float32.

    Returns
    -------
    model : (batch, mel bins, frames) -> (batch, n_tags)

    Raises
    ------
    UserError
        See `check_musicnn`.
    """
    mel_bins, frames = input_shape
    check_musicnn(mel_bins=mel_bins, frames=frames, temporal_frames=temporal_frames)
    norm = partial(batch_norm, momentum=batch_norm_momentum)
    penalty = keras.regularizers.L2(l2) if l2 else None
    inputs = keras.Input(input_shape, name="log_mel")
    x = log_compressed(inputs)
    x = keras.layers.Reshape((mel_bins, frames, 1), name="channel")(x)
    x = norm(center=False, scale=False, name="input_norm")(x)
    convolve = {"activation": "relu", "kernel_regularizer": penalty, "dtype": precision}
    image_norm = partial(norm, images=True, dtype=precision)
    front = _front_end(x, width, temporal_frames, image_norm, convolve)  # (141, 561)
    dense = {"kernel_initializer": "he_normal", "kernel_regularizer": penalty}
    middle = _middle(front, middle_filters, norm, {**convolve, **dense})  # 3 x (141, 64)
    x = keras.layers.Concatenate(name="features")([front, *middle])  # (141, 753)
    maximum = keras.layers.GlobalMaxPooling1D(name="maximum")(x)
    mean = keras.layers.GlobalAveragePooling1D(name="mean")(x)
    x = keras.layers.Concatenate(name="pooled")([maximum, mean])  # (1506,)
    x = norm(name="pooled_norm")(x)
    x = dropout(dropout_rate, name="pooled_dropout")(x)
    x = keras.layers.Dense(hidden_units, activation="relu", name="hidden", **dense)(x)
    x = norm(name="hidden_norm")(x)
    x = dropout(dropout_rate, name="hidden_dropout")(x)
    outputs = keras.layers.Dense(n_tags, activation="sigmoid", name="tags", **dense)(x)
    return keras.Model(inputs, outputs, name="musicnn")


def _front_end(x, width: float, temporal_frames: int, norm, options: dict):
    """Apply the timbral and temporal filters: (mel bins, frames, 1) -> (frames, channels)."""
    mel_bins = x.shape[1]
    timbral, temporal = scaled_counts((_TIMBRAL, _TEMPORAL), width)
    dtype = options["dtype"]
    padded = keras.layers.ZeroPadding2D((0, _LENGTH // 2), name="pad", dtype=dtype)(x)
    filtered = []
    for number, share in enumerate(_TIMBRAL_HEIGHTS, start=1):
        kernel = (int(share * mel_bins), _LENGTH)
        convolution = keras.layers.Conv2D(timbral, kernel, name=f"timbral_{number}", **options)
        filtered.append((f"timbral_{{}}_{number}", convolution(padded)))
    for number, divisor in enumerate((1, 2, 4), start=1):
        kernel = (1, temporal_frames // divisor)
        convolution = keras.layers.Conv2D(
            temporal, kernel, padding="same", name=f"temporal_{number}", **options
        )
        filtered.append((f"temporal_{{}}_{number}", convolution(x)))
    outputs = [_highest(y, norm, name, dtype) for name, y in filtered]
    return keras.layers.Concatenate(name="front_end")(outputs)


def _highest(x, norm, name: str, dtype: str):
    """Normalize, then take the maximum over frequency: (frames, channels)."""
    height, frames, channels = x.shape[1:]
    x = norm(name=name.format("norm"))(x)
    x = keras.layers.MaxPooling2D((height, 1), name=name.format("pool"), dtype=dtype)(x)
    return keras.layers.Reshape((frames, channels), name=name.format("sequence"))(x)


def _middle(x, filters: int, norm, options: dict) -> list:
    """Apply three convolutions over time; the second and third add their inputs."""
    convolutions = [
        keras.layers.Conv1D(filters, _LENGTH, padding="same", name=f"middle_{number}", **options)
        for number in (1, 2, 3)
    ]
    first = norm(name="middle_norm_1")(convolutions[0](x))
    second = keras.layers.Add(name="middle_sum_2")([convolutions[1](first), first])
    third = keras.layers.Add(name="middle_sum_3")([convolutions[2](second), second])
    return [first, second, third]
