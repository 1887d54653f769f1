"""Count the operations of a network from its layers (Table 2).

Imports Keras; import it inside functions.
"""

import math

import keras

_LAYERS = keras.layers
_PRODUCTS = (_LAYERS.Dense, _LAYERS.Conv1D, _LAYERS.Conv2D, _LAYERS.Conv3D)
_DEPTHWISE = (_LAYERS.DepthwiseConv1D, _LAYERS.DepthwiseConv2D)
_SEPARABLE = (_LAYERS.SeparableConv1D, _LAYERS.SeparableConv2D)
_RECURRENT = (_LAYERS.GRU, _LAYERS.LSTM, _LAYERS.SimpleRNN)
_PRODUCTS_OF_INPUTS = (_LAYERS.Dot, _LAYERS.Attention, _LAYERS.AdditiveAttention)
_WITHOUT_PRODUCTS = (_LAYERS.BatchNormalization, _LAYERS.LayerNormalization, _LAYERS.PReLU)
_WITHOUT_PRODUCTS += (_LAYERS.GroupNormalization, _LAYERS.Embedding)


def multiply_adds(network: keras.Model) -> int | None:
    """Count the multiply-adds of convolutions, dense and recurrent layers for one input.

    Layers without products of matrices, such as normalizations, count nothing; a layer that is
    called twice counts once.

    Returns
    -------
    count
        None if the network has another layer with a matrix, or one that multiplies its inputs, such
        as attention.
    """
    counts = [_of_layer(layer) for layer in network.layers]
    return None if None in counts else sum(counts)


def _of_layer(layer: keras.Layer) -> int | None:
    if isinstance(layer, _PRODUCTS_OF_INPUTS):
        return None
    has_matrix = any(len(weight.shape) > 1 for weight in layer.weights)
    if isinstance(layer, _WITHOUT_PRODUCTS) or not has_matrix:
        return 0
    if isinstance(layer, keras.Model):
        return multiply_adds(layer)
    inputs, outputs = (_sizes(layer, name) for name in ("input", "output"))
    if inputs is None or outputs is None:
        return None
    both = isinstance(layer, _LAYERS.Bidirectional)
    parts = [layer.forward_layer, layer.backward_layer] if both else [layer]
    if all(isinstance(part, _RECURRENT) for part in parts):
        return inputs[0] * sum(_of_step(part.cell) for part in parts)
    applied = layer.layer if isinstance(layer, _LAYERS.TimeDistributed) else layer
    if isinstance(applied, _PRODUCTS):
        return math.prod(outputs) * math.prod(applied.kernel.shape[:-1])
    if isinstance(applied, _DEPTHWISE):
        return math.prod(outputs) * math.prod(applied.kernel.shape[:-2])
    if isinstance(applied, _SEPARABLE):
        kernels = (applied.depthwise_kernel, applied.pointwise_kernel)
        places = math.prod(outputs) // applied.filters
        return places * sum(math.prod(kernel.shape) for kernel in kernels)
    return None


def _of_step(cell: keras.Layer) -> int:
    """Count the multiply-adds of a recurrent cell in one step."""
    return sum(math.prod(kernel.shape) for kernel in (cell.kernel, cell.recurrent_kernel))


def _sizes(layer: keras.Layer, name: str) -> tuple[int, ...] | None:
    """Shape of a layer's first input or output, without the batch; None if it is not fixed."""
    try:
        shape = keras.tree.flatten(getattr(layer, name))[0].shape[1:]
    except AttributeError:
        return None
    return None if None in shape else tuple(shape)
