"""The network that is trained on the source's labels, and the regressions as a network."""

import keras


def build_transfer(*, input_shape: tuple[int], n_tags: int) -> keras.Model:
    """Build a dense layer with a sigmoid: (batch, features) -> (batch, tags)."""
    inputs = keras.Input(input_shape, name="features")
    outputs = keras.layers.Dense(n_tags, activation="sigmoid", name="tags")(inputs)
    return keras.Model(inputs, outputs, name="transfer")


def build_source(
    *, n_features: int, n_tags: int, hidden: int, dropout: float, seed: int
) -> keras.Model:
    """Build the source network: (batch, features) -> (batch, tags), with a layer "hidden".

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
    initial = keras.initializers.GlorotUniform(seed=seed)
    inputs = keras.Input((n_features,), name="features")
    units = keras.layers.Dense(
        hidden, activation="relu", kernel_initializer=initial, name="hidden"
    )(inputs)
    units = keras.layers.Dropout(dropout, seed=seed, name="dropout")(units)
    initial = keras.initializers.GlorotUniform(seed=seed + 1)
    outputs = keras.layers.Dense(
        n_tags, activation="sigmoid", kernel_initializer=initial, name="tags"
    )(units)
    return keras.Model(inputs, outputs, name="source")
