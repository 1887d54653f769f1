"""The network on the features of a window."""

import keras


def build_multiscale(
    *, input_shape: tuple[int], n_tags: int, hidden: int, dropout: float
) -> keras.Model:
    """Build a network with one hidden layer: (batch, features) -> (batch, tags).

    Parameters
    ----------
    input_shape
        (features,) of a window.
    n_tags
        Number of outputs, each a probability.
    hidden
        Rectified linear units of the hidden layer.
    dropout
        Dropout rate of the hidden layer.
    """
    inputs = keras.Input(input_shape, name="features")
    units = keras.layers.Dense(hidden, activation="relu", name="hidden")(inputs)
    units = keras.layers.Dropout(dropout, name="dropout")(units)
    outputs = keras.layers.Dense(n_tags, activation="sigmoid", name="tags")(units)
    return keras.Model(inputs, outputs, name="multiscale")
