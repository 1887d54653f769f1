"""The paper's model: four convolutions, two gated recurrent layers (sec. II.C, Table 2, Fig. 4)."""

from functools import partial
from typing import Literal

import keras

from autotagging.models.crnn import check_crnn
from autotagging.models.layers import ConvolutionBeforeNorm, batch_norm, dropout, hard_sigmoid

_FILTERS = (64, 128, 128, 128)
_POOLS = ((2, 2), (3, 3), (4, 4), (4, 4))
_GRU_UNITS = 32
_GATES = {"sigmoid": "sigmoid", "hard_sigmoid": hard_sigmoid}


def build_crnn(
    *,
    input_shape: tuple[int, int],
    n_tags: int,
    padded_frames: int,
    padding_side: Literal["both", "end", "start"],
    padding_value: float,
    input_norm: Literal["frequency", "time", "none"],
    batch_norm_momentum: float,
    pool_dropout: float,
    output_dropout: float,
    gru_reset_after: bool,
    gru_gates: Literal["sigmoid", "hard_sigmoid"] = "sigmoid",
    precision: str = "float32",
) -> keras.Model:
    """Build the CRNN of Table 2.

    Max pooling comes before the ELU. The ELU is monotone, so the function is the same as the
    paper's, but the ELU is computed on fewer elements.

    Parameters
    ----------
    input_shape
        Shape (mel bins, frames) of the input, in dB: (96, 1366) in the paper.
    n_tags
        Number of outputs: 50 in the paper.
    padded_frames
        Number of frames after padding: 1440 in the paper.
    padding_side
        Side of the added frames: half of them at each end ("both"), or all at the "end" or
        "start".
    padding_value
        Value of the added frames, in the unit of the padded array: 0.0. The paper states neither
        side nor value.
    input_norm
        Batch normalization of the input: of its mel bins before the padding ("frequency"), of its
        frames after the padding ("time"), or "none". The paper does not say.
    batch_norm_momentum
        Momentum of the moving statistics of every batch normalization.
    pool_dropout, output_dropout
        Dropout rates after each pooling and before the dense layer.
    gru_reset_after
        Whether the GRU is today's variant, the only one that cuDNN supports, or that of Keras 1.
    gru_gates
        Activation of the gates of the GRU: "sigmoid", or that of Keras 1, see
        `layers.hard_sigmoid`. Models that were stored before this was an option have sigmoids.
    precision
        Dtype policy of the convolution blocks; the other layers, with few operations, use float32.

    Returns
    -------
    model : (batch, mel bins, frames) -> (batch, n_tags)

    Raises
    ------
    UserError
        See `check_crnn`.
    """
    mel_bins, frames = input_shape
    check_crnn(mel_bins=mel_bins, frames=frames, padded_frames=padded_frames)
    norm = partial(batch_norm, momentum=batch_norm_momentum)
    inputs = keras.Input(input_shape, name="log_mel")
    x = inputs
    if input_norm == "frequency":
        x = norm(axis=1, name="input_norm")(x)
    x = keras.layers.Reshape((mel_bins, frames, 1), name="channel")(x)
    x = _pad(x, padded_frames - frames, padding_side, padding_value)
    if input_norm == "time":
        x = norm(axis=2, name="input_norm")(x)
    # (96, 1440, 1) -> (48, 720, 64) -> (16, 240, 128) -> (4, 60, 128) -> (1, 15, 128)
    for block, (filters, pool) in enumerate(zip(_FILTERS, _POOLS, strict=True), start=1):
        x = ConvolutionBeforeNorm(
            filters, 3, padding="same", dtype=precision, name=f"conv_{block}"
        )(x)
        x = norm(images=True, name=f"norm_{block}", dtype=precision)(x)
        x = keras.layers.MaxPooling2D(pool, dtype=precision, name=f"pool_{block}")(x)
        x = keras.layers.ELU(dtype=precision, name=f"elu_{block}")(x)
        x = dropout(pool_dropout, dtype=precision, name=f"dropout_{block}")(x)
    x = keras.layers.Reshape((-1, _FILTERS[-1]), name="sequence")(x)  # (15, 128)
    for layer, sequences in enumerate((True, False), start=1):
        x = keras.layers.GRU(
            _GRU_UNITS,
            return_sequences=sequences,
            reset_after=gru_reset_after,
            recurrent_activation=_GATES[gru_gates],
            name=f"gru_{layer}",
        )(x)
    x = dropout(output_dropout, name="dropout")(x)
    outputs = keras.layers.Dense(n_tags, activation="sigmoid", name="tags")(x)
    return keras.Model(inputs, outputs, name="crnn")


def _pad(x, frames: int, side: str, value: float):
    """Pad (mel bins, frames, 1) with frames of a value, using stock layers of Keras."""
    ends = {"both": (frames // 2, frames - frames // 2), "end": (0, frames), "start": (frames, 0)}
    pad = keras.layers.ZeroPadding2D(((0, 0), ends[side]), name="pad")
    if value == 0:
        return pad(x)
    # Keras pads with zeros only: the value is subtracted before the padding and added after it.
    lowered = keras.layers.Rescaling(1.0, offset=-value, name="subtract_padding_value")(x)
    return keras.layers.Rescaling(1.0, offset=value, name="add_padding_value")(pad(lowered))
