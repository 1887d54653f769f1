"""The network that is trained on the source's labels, and the regressions as a network."""

import keras

from autotagging.models.layers import multilayer_perceptron


def build_transfer(*, input_shape: tuple[int], n_tags: int) -> keras.Model:
    """Build a dense layer with a sigmoid: (batch, features) -> (batch, tags)."""
    inputs = keras.Input(input_shape, name="features")
    return keras.Model(inputs, multilayer_perceptron(inputs, n_tags), name="transfer")


def build_source(
    *, n_features: int, n_tags: int, hidden: int, dropout: float, seed: int
) -> keras.Model:
    """Build the source network: (batch, features) -> (batch, tags), with a layer "hidden_1".

    Parameters
    ----------
    n_features
        Features of a window.
    n_tags
        Tags of the source.
    hidden
        Rectified linear units of the hidden layer.
    dropout
        Dropout rate of the hidden layer.
    seed
        Seed of the initial weights and of dropout.
    """
    inputs = keras.Input((n_features,), name="features")
    outputs = multilayer_perceptron(
        inputs, n_tags, hidden=[hidden], dropout_rate=dropout, seed=seed
    )
    return keras.Model(inputs, outputs, name="source")
