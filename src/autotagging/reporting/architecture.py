"""Read the layers in the rows of a model.json, independent of their names."""

import math
from typing import Any

Layer = dict[str, Any]
"""A row: name, type, output_shape (mel bins, frames, channels), parameters."""


def padded_frames(architecture: list[Layer]) -> int:
    """Give the number of frames after the zero padding, the most of any layer.

    Raises
    ------
    ValueError
        No output has mel bins, frames and channels.
    """
    return max(row["output_shape"][1] for row in architecture if len(row["output_shape"]) == 3)


def parameters(layer: Layer) -> int:
    """Count the trainable parameters of a layer; all parameters if the row has no such count."""
    return int(layer.get("trainable_parameters", layer["parameters"]))


def find_layer(architecture: list[Layer], type_name: str, ordinal: int) -> int | None:
    """Find the n-th layer of a type, counted from 1, or the last with -1.

    The type "first input" is the layer before the first convolution.
    """
    if type_name == "first input":
        first = find_layer(architecture, "Conv2D", 1)
        return first - 1 if first else None
    found = [index for index, row in enumerate(architecture) if row["type"] == type_name]
    index = ordinal - 1 if ordinal > 0 else ordinal
    return found[index] if -len(found) <= index < len(found) else None


def window(architecture: list[Layer], index: int) -> str:
    """Give the window of a convolution or pooling, such as "3x3"; "" for other layers.

    It follows from the shapes (pooling) or from the number of weights (convolution, assumed square
    and with a bias).
    """
    layer = architecture[index]
    after, before = layer["output_shape"], architecture[index - 1]["output_shape"]
    if layer["type"] == "MaxPooling2D":
        return f"{before[0] // after[0]}x{before[1] // after[1]}"
    if layer["type"] == "Conv2D":
        side = math.isqrt((layer["parameters"] // after[-1] - 1) // before[-1])
        return f"{side}x{side}"
    return ""


def shape_text(shape: list[int], *, channels_first: bool) -> str:
    """Write a shape as "48 x 720 x 64", or channels first, as in the paper: "64x48x720"."""
    if not channels_first:
        return " x ".join(str(size) for size in shape)
    return "x".join(str(size) for size in ([shape[-1], *shape[:-1]] if len(shape) == 3 else shape))
