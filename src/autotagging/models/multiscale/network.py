"""The network on the features of a window."""

import keras

from autotagging.models.layers import multilayer_perceptron


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
    outputs = multilayer_perceptron(inputs, n_tags, hidden=[hidden], dropout_rate=dropout)
    return keras.Model(inputs, outputs, name="multiscale")
