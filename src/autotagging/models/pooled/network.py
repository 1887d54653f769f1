"""Networks on pooled features, of one time scale or two."""

from typing import Literal

import keras

from autotagging.common.errors import UserError
from autotagging.models.layers import multilayer_perceptron


def build_pooled(
    *,
    input_shape: tuple[int, ...],
    n_tags: int,
    structure: Literal["pfc", "mtsl"],
    hidden: int,
    short_hidden: int,
    l2: float,
) -> keras.Model:
    """Build the network of a window's features: (batch, *input_shape) -> (batch, tags).

    Parameters
    ----------
    input_shape
        (features,) with one time scale, (short windows, features) with two.
    n_tags
        Number of tags.
    structure
        One time scale (pfc) or two (mtsl).
    hidden
        Number of sigmoid units before the outputs.
    short_hidden
        Number of sigmoid units that all short windows share, for two time scales.
    l2
        Factor of the sum of squares of the kernels, next to the loss.

    Raises
    ------
    UserError
        The input shape does not suit the structure.
    """
    if len(input_shape) != {"pfc": 1, "mtsl": 2}[structure]:
        raise UserError(
            f"model 'pooled': inputs of shape {input_shape} are not those of {structure}"
        )

    inputs = x = keras.Input(input_shape, name="features")
    if structure == "mtsl":
        short = keras.layers.Dense(
            short_hidden,
            activation="sigmoid",
            kernel_regularizer=keras.regularizers.L2(l2),
            name="short_hidden",
        )(inputs)  # (batch, short windows, units)
        pooled = [
            keras.layers.GlobalAveragePooling1D(name="mean")(short),
            keras.layers.GlobalMaxPooling1D(name="maximum")(short),
            keras.ops.var(short, axis=1),
        ]
        x = keras.layers.Concatenate(name="pooled")(pooled)  # (batch, 3 x units)
    outputs = multilayer_perceptron(x, n_tags, hidden=[hidden], activation="sigmoid", l2=l2)
    return keras.Model(inputs, outputs, name="pooled")
