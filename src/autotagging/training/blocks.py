"""Blocks of convolution that `fused` computes as a whole, found in a network's layers."""

import math
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

import keras
import tensorflow as tf

from autotagging.models.layers import (
    ConvolutionBeforeNorm,
    DropoutPerReplica,
    FusedBatchNormalization,
)
from autotagging.training import passes

_OF_IMAGES = {"data_format": "channels_last"}
_PLACING = {
    keras.layers.Reshape: {},
    keras.layers.ZeroPadding2D: _OF_IMAGES,
    keras.layers.Rescaling: {},
}
_CONVOLUTION = {
    **_OF_IMAGES,
    **{"kernel_size": (3, 3), "strides": (1, 1), "padding": "same", "dilation_rate": (1, 1)},
    **{"groups": 1, "activation": "linear", "activity_regularizer": None},
}
_NORM = {"axis": -1, "center": True, "scale": True, "renorm": False, "renorm_clipping": None}
_KINDS = {
    "convolution": {keras.layers.Conv2D: _CONVOLUTION, ConvolutionBeforeNorm: _CONVOLUTION},
    "norm": {keras.layers.BatchNormalization: _NORM, FusedBatchNormalization: _NORM},
    "pooling": {keras.layers.MaxPooling2D: {**_OF_IMAGES, "padding": "valid"}},
    "activation": {
        keras.layers.ELU: {"alpha": 1},
        keras.layers.ReLU: {"max_value": None, "negative_slope": 0, "threshold": 0},
    },
    "dropout": {
        keras.layers.Dropout: {"noise_shape": None},
        DropoutPerReplica: {"noise_shape": None},
    },
}
"""Layers of a block, by what they do, and the settings that are computed with one value only."""

# Settings that are followed whatever they are, or that `_is_supported` sees elsewhere.
_FREE = ("name", "trainable", "dtype", "target_shape", "padding", "scale", "offset", "filters")
_FREE += ("use_bias", "momentum", "epsilon", "synchronized", "renorm_momentum")
_FREE += ("pool_size", "strides", "rate", "seed")
_OF_WEIGHTS = ("_initializer", "_regularizer", "_constraint")  # the optimizer follows these


def find_blocks(model: keras.Model) -> "tuple[Head, list[Block]] | None":
    """Find the layers before the blocks of a network, and the blocks; None: see `fused.fuse`."""
    chain = [layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)]
    starts = [i for i, layer in enumerate(chain) if isinstance(layer, keras.layers.Conv2D)]
    if not starts or not all(layer.trainable for layer in chain):
        return None
    spectrogram = model.inputs[0]
    outputs = [spectrogram, *(layer.output for layer in chain)]
    if any(layer.input is not before for before, layer in zip(outputs, chain, strict=False)):
        return None
    head = _head(spectrogram, chain[: starts[0]])
    rest, blocks = chain[starts[0] :], []
    while rest and isinstance(rest[0], keras.layers.Conv2D):
        blocks.append(_take_block(rest))
    of_blocks = (keras.layers.Conv2D, keras.layers.MaxPooling2D)
    if head is None or None in blocks or any(isinstance(layer, of_blocks) for layer in rest):
        return None
    return (head, blocks) if len({block.dtype for block in blocks}) == 1 else None


def _is_supported(layer: keras.Layer, kinds: dict[type, dict[str, Any]], **fixed: Any) -> bool:
    """Tell whether a layer is of one of the kinds, and no setting of it would be lost.

    Parameters
    ----------
    layer
        A layer; one of a derived class, which may do anything, is of no kind.
    kinds
        Kinds, and their settings that are computed with one value only.
    fixed
        More such settings.
    """
    if type(layer) not in kinds or layer.variable_dtype != "float32":
        return False
    fixed = {**kinds[type(layer)], **fixed}
    return all(
        value == fixed[name]
        if name in fixed
        else name in _FREE or (name.endswith(_OF_WEIGHTS) and name != "activity_regularizer")
        for name, value in layer.get_config().items()
    )


@dataclass(frozen=True)
class Head:
    """Layers before the blocks.

    Attributes
    ----------
    prepared
        Output of the layers without variables.
    norm
        Batch normalization of the mel bins, or None.
    placed : (batch, height, width, 1)
        Output of the last layer.
    """

    prepared: keras.KerasTensor
    norm: keras.layers.BatchNormalization | None
    placed: keras.KerasTensor


def _head(spectrogram: keras.KerasTensor, layers: list[keras.Layer]) -> Head | None:
    """Divide the layers before the blocks; None if they are of other kinds."""
    placing = list(takewhile(_places, reversed(layers)))
    before = layers[: len(layers) - len(placing)]
    normalized = before and isinstance(before[-1], keras.layers.BatchNormalization)
    norm = before.pop() if normalized else None
    prepared = before[-1].output if before else spectrogram
    placed = layers[-1].output if layers else spectrogram
    fits = (
        not any(layer.variables for layer in before)
        and prepared.dtype == "float32"
        and getattr(prepared, "_keras_mask", None) is None
        and (len(placed.shape), placed.shape[-1]) == (4, 1)
        and all(layer.output.shape[1] == prepared.shape[1] for layer in placing)
    )
    if norm:
        fits &= len(prepared.shape) == 3 and norm.compute_dtype == "float32"
        fits &= _is_supported(norm, {keras.layers.BatchNormalization: _NORM}, axis=1)
    return Head(prepared, norm, placed) if fits else None


def _places(layer: keras.Layer) -> bool:
    """Tell whether a layer places a spectrogram in a larger plane, or multiplies all of it."""
    numbers = (getattr(layer, name, 0) for name in ("scale", "offset"))
    return (
        layer.compute_dtype == "float32"
        and _is_supported(layer, _PLACING)
        and all(isinstance(number, int | float) for number in numbers)
    )


@dataclass(frozen=True)
class Block:
    """Layers of a block, and its output."""

    convolution: keras.layers.Conv2D
    output: keras.KerasTensor
    pooling: keras.layers.MaxPooling2D
    activation: keras.layers.ELU | keras.layers.ReLU
    norm: keras.layers.BatchNormalization | None = None
    dropout: keras.layers.Dropout | None = None

    @property
    def dtype(self) -> tf.DType:
        """Precision of the convolution."""
        return tf.as_dtype(self.convolution.compute_dtype)

    @property
    def bias(self) -> tf.Tensor:
        """Bias of the convolution, (channels,); zeros if it has none."""
        bias = self.convolution.bias
        return tf.zeros(self.convolution.filters) if bias is None else tf.convert_to_tensor(bias)

    @property
    def pool(self) -> passes.Pool:
        """Height and width of a pooling window."""
        return self.pooling.pool_size

    @property
    def function(self) -> passes.Activation:
        """Name of the activation."""
        return "elu" if isinstance(self.activation, keras.layers.ELU) else "relu"

    @property
    def dropped(self) -> int:
        """Number of elements that dropout drops, out of 65536."""
        return min(round(65536 * self.dropout.rate), 65535) if self.dropout else 0

    def seed(self) -> tf.Tensor | None:
        """Draw the next seed of the dropout layer."""
        return tf.cast(self.dropout.seed_generator.next(), tf.int32) if self.dropped else None


def _take_block(layers: list[keras.Layer]) -> Block | None:
    """Remove the layers of a block from the start of a list; None if they don't form one."""
    convolution = last = layers.pop(0)
    found = {}
    for kind in ("norm", "pooling", "activation", "pooling", "dropout"):
        if layers and kind not in found and type(layers[0]) in _KINDS[kind]:
            found[kind] = last = layers.pop(0)
    if not {"pooling", "activation"} <= found.keys():
        return None
    block = Block(convolution, last.output, **found)
    return block if _fits(block) else None


def _fits(block: Block) -> bool:
    """Tell whether the settings of the layers are those that are computed."""
    layers = {kind: getattr(block, kind) for kind in _KINDS}
    found = {kind: layer for kind, layer in layers.items() if layer}
    pooling = block.pooling
    return (
        all(_is_supported(layer, _KINDS[kind]) for kind, layer in found.items())
        and len({layer.compute_dtype for layer in found.values()}) == 1
        and block.dtype in (tf.float32, tf.bfloat16, tf.float16)
        and pooling.strides == pooling.pool_size
        and math.prod(pooling.pool_size) <= 256  # indices in a window have 8 bits
    )
