"""The logistic regressions as a network, which gives their scores."""

import keras

from autotagging.models.layers import multilayer_perceptron


def build_statistics(*, input_shape: tuple[int], n_tags: int) -> keras.Model:
    """Build a dense layer with a sigmoid: (batch, features) -> (batch, tags)."""
    inputs = keras.Input(input_shape, name="features")
    return keras.Model(inputs, multilayer_perceptron(inputs, n_tags), name="statistics")
