"""Blocks of convolution that `fused` computes as a whole, found in a network's layers."""

import math
from dataclasses import dataclass
from itertools import pairwise, takewhile

import keras
import tensorflow as tf

from autotagging.training import passes

_PLACING = (keras.layers.Reshape, keras.layers.ZeroPadding2D, keras.layers.Rescaling)
_KINDS = {
    "norm": keras.layers.BatchNormalization,
    "pooling": keras.layers.MaxPooling2D,
    "activation": (keras.layers.ELU, keras.layers.ReLU),
    "dropout": keras.layers.Dropout,
}


def find_blocks(model: keras.Model) -> "tuple[Head, list[Block]] | None":
    """Find the layers before the blocks of a network, and the blocks; None: see `fused.fuse`."""
    if any(layer.input is not before.output for before, layer in pairwise(model.layers)):
        return None
    chain = model.layers[1:]
    starts = [i for i, layer in enumerate(chain) if isinstance(layer, keras.layers.Conv2D)]
    if not starts or not all(layer.trainable for layer in chain):
        return None
    head = _head(model.input, chain[: starts[0]])
    rest, blocks = chain[starts[0] :], []
    while rest and isinstance(rest[0], keras.layers.Conv2D):
        blocks.append(_take_block(rest))
    of_blocks = (keras.layers.Conv2D, keras.layers.MaxPooling2D)
    if head is None or None in blocks or any(isinstance(layer, of_blocks) for layer in rest):
        return None
    return head, blocks


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
    placing = list(takewhile(lambda layer: isinstance(layer, _PLACING), reversed(layers)))
    before = layers[: len(layers) - len(placing)]
    normalized = before and isinstance(before[-1], keras.layers.BatchNormalization)
    norm = before.pop() if normalized else None
    prepared = before[-1].output if before else spectrogram
    placed = layers[-1].output if layers else spectrogram
    fits = (
        not any(layer.variables for layer in before)
        and (len(placed.shape), placed.shape[-1]) == (4, 1)
        and placed.shape[1] == prepared.shape[1]
    )
    if norm:
        fits &= (norm.axis, norm.center, norm.scale, len(prepared.shape)) == (1, True, True, 3)
    return Head(prepared, norm, placed) if fits else None


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
        if layers and kind not in found and isinstance(layers[0], _KINDS[kind]):
            found[kind] = last = layers.pop(0)
    if not {"pooling", "activation"} <= found.keys():
        return None
    block = Block(convolution, last.output, **found)
    return block if _fits(block) else None


def _fits(block: Block) -> bool:
    """Tell whether the options of the layers are those that are implemented."""
    convolution, norm, pooling = block.convolution, block.norm, block.pooling
    return (
        (convolution.kernel_size, convolution.strides) == ((3, 3), (1, 1))
        and (convolution.padding, convolution.dilation_rate) == ("same", (1, 1))
        and (convolution.groups, convolution.activation) == (1, keras.activations.linear)
        and (norm is None or (norm.axis, norm.center, norm.scale) == (-1, True, True))
        and (pooling.strides, pooling.padding) == (pooling.pool_size, "valid")
        and math.prod(pooling.pool_size) <= 256  # indices in a window have 8 bits
        and _is_elu_or_relu(block.activation)
        and (block.dropout is None or block.dropout.noise_shape is None)
    )


def _is_elu_or_relu(layer: keras.layers.ELU | keras.layers.ReLU) -> bool:
    """Tell whether the function of a layer is the one that its name says."""
    if isinstance(layer, keras.layers.ELU):
        return layer.alpha == 1
    return (layer.max_value, layer.negative_slope, layer.threshold) == (None, 0, 0)
