"""The network on a clip's pooled activations: 1024-512-512-512-tags (Nam, Herrera and Lee 2015)."""

import keras

from autotagging.models.layers import multilayer_perceptron


def build_bof_rbm(
    *, input_shape: tuple[int], n_tags: int, layers: int, units: int, dropout: float
) -> keras.Model:
    """Build the network: rectified linear hidden layers, each with dropout, and sigmoids.

    There is no dropout of the input. Weights are Glorot-uniform: see `start_bof_rbm`.

    Parameters
    ----------
    input_shape
        Shape (features,) of the input: (1024,) in the source.
    n_tags
        Number of outputs: 160 in the source.
    layers
        Number of hidden layers: 3 in the source.
    units
        Units of each hidden layer: 512 in the source.
    dropout
        Dropout rate after each hidden layer: 0.5 in the source.

    Returns
    -------
    model : (batch, features) -> (batch, n_tags)
        Its hidden layers are named hidden_1, hidden_2, and so on.
    """
    inputs = keras.Input(input_shape, name="features")
    outputs = multilayer_perceptron(inputs, n_tags, hidden=[units] * layers, dropout_rate=dropout)
    return keras.Model(inputs, outputs, name="bof_rbm")
