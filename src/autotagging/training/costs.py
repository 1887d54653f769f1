"""Count the operations of a network from its layers (Table 2).

Imports Keras; import it inside functions.
"""

import math

import keras


def multiply_adds(network: keras.Model) -> int:
    """Count the multiply-adds of convolutions, dense and recurrent layers for one input."""
    return sum(_of_layer(layer) for layer in network.layers)


def _of_layer(layer: keras.Layer) -> int:
    if isinstance(layer, keras.layers.Dense | keras.layers.Conv1D | keras.layers.Conv2D):
        places = math.prod(layer.output.shape[1:-1])
        return places * math.prod(layer.kernel.shape)
    if isinstance(layer, keras.layers.GRU):
        cell = layer.cell
        weights = math.prod(cell.kernel.shape) + math.prod(cell.recurrent_kernel.shape)
        return layer.input.shape[1] * weights
    return 0
