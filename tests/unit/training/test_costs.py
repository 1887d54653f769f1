"""Multiply-adds of a network, against those worked out from the layers' shapes by hand."""

import pytest

from autotagging import models
from networks import crnn_options

keras = pytest.importorskip("keras")

pytestmark = pytest.mark.training


def test_the_crnn_has_those_of_the_papers_table():
    """Convolutions by the outputs of Table 2, GRUs by 15 steps of three gates, the dense layer."""
    from autotagging.training.costs import multiply_adds

    options = crnn_options(padded_frames=1440)
    network = models.build("crnn", input_shape=(96, 1366), n_tags=50, **options)
    convolutions = 9 * (
        96 * 1440 * 64 + 48 * 720 * 64 * 128 + 16 * 240 * 128 * 128 + 4 * 60 * 128 * 128
    )
    recurrent = 15 * 3 * 32 * (128 + 32 + 32 + 32)
    assert multiply_adds(network) == convolutions + recurrent + 32 * 50


def conv(kind, **options):
    return getattr(keras.layers, kind)(**{"kernel_size": 3, "padding": "same", **options})


def nested():
    inputs = keras.Input((6, 4))
    return keras.Model(inputs, keras.layers.Dense(5)(keras.layers.Dense(2)(inputs)))


L = keras.layers
COSTS = {
    "dense at each step": (lambda: L.Dense(5), (6, 4), 6 * 4 * 5),
    "convolution": (lambda: conv("Conv2D", filters=5, strides=2), (6, 4, 2), 3 * 2 * 9 * 2 * 5),
    "groups": (lambda: conv("Conv2D", filters=4, groups=2), (6, 4, 2), 6 * 4 * 9 * 4),
    "depthwise": (lambda: conv("DepthwiseConv2D", depth_multiplier=3), (6, 4, 2), 6 * 4 * 9 * 6),
    "separable": (lambda: conv("SeparableConv2D", filters=5), (6, 4, 2), 24 * (9 * 2 + 2 * 5)),
    "LSTM": (lambda: L.LSTM(3), (6, 4), 6 * 4 * 3 * (4 + 3)),
    "both directions": (lambda: L.Bidirectional(L.GRU(3)), (6, 4), 2 * 6 * 3 * 3 * (4 + 3)),
    "at each step": (lambda: L.TimeDistributed(L.Dense(5)), (6, 4), 6 * 4 * 5),
    "images": (lambda: L.TimeDistributed(conv("Conv2D", filters=5)), (6, 4, 2, 1), 6 * 8 * 9 * 5),
    "nested": (nested, (6, 4), 6 * (4 * 2 + 2 * 5)),
    "normalization": (lambda: L.BatchNormalization(), (6, 4), 0),
    "over two axes": (lambda: L.LayerNormalization(axis=[1, 2]), (6, 4), 0),
    "slopes of activations": (lambda: L.PReLU(shared_axes=[1]), (6, 4, 2), 0),
    "no weights": (lambda: L.Activation("relu"), (6, 4), 0),
    "transposed": (lambda: conv("Conv2DTranspose", filters=5), (6, 4, 2), None),
    "attention": (lambda: lambda x: L.Attention()([x, x]), (6, 4), None),
    "other cells": (lambda: L.RNN(L.LSTMCell(3)), (6, 4), None),
    "of any length": (lambda: L.LSTM(3), (None, 4), None),
    "two layers, one not known": (
        lambda: keras.Sequential([L.Dense(2), conv("Conv1DTranspose", filters=5)]),
        (6, 4),
        None,
    ),
}


@pytest.mark.parametrize(("make", "shape", "expected"), COSTS.values(), ids=COSTS)
def test_other_layers_are_counted_or_not_known(make, shape, expected):
    from autotagging.training.costs import multiply_adds

    inputs = keras.Input(shape)
    assert multiply_adds(keras.Model(inputs, make()(inputs))) == expected
