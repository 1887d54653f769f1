"""The logistic regressions as a network, which gives their scores."""

import keras


def build_statistics(*, input_shape: tuple[int], n_tags: int) -> keras.Model:
    """Build a dense layer with a sigmoid: (batch, features) -> (batch, tags)."""
    inputs = keras.Input(input_shape, name="features")
    outputs = keras.layers.Dense(n_tags, activation="sigmoid", name="tags")(inputs)
    return keras.Model(inputs, outputs, name="statistics")
