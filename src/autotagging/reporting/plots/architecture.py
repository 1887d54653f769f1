"""Figure of the architecture, drawn from the rows of a model.json (sec. II.C, Fig. 4)."""

import re
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from autotagging.reporting.architecture import Layer, parameters, shape_text, window
from autotagging.reporting.plots.style import (
    BLUE,
    COLUMN,
    GREEN,
    GREY,
    VERMILION,
    new_figure,
    styled,
)
from autotagging.reporting.plots.text import wrap

_SHORT_TYPES = {
    "InputLayer": "input",
    "BatchNormalization": "batch norm",
    "ZeroPadding2D": "zero padding",
    "Conv1D": "conv",
    "Conv2D": "conv",
    "MaxPooling1D": "max pool",
    "MaxPooling2D": "max pool",
    "Dropout": "dropout",
    "Reshape": "reshape",
    "Dense": "dense",
}

# The first type in this order that a block contains gives its name and colour.
_KINDS = {
    "Conv2D": ("Convolution", BLUE),
    "Conv1D": ("Convolution", BLUE),
    "GRU": ("Recurrent", GREEN),
    "LSTM": ("Recurrent", GREEN),
    "InputLayer": ("Input", GREY),
    "Dense": ("Output", VERMILION),
    "Reshape": ("Reshape", GREY),
}
_LINE, _GAP, _PAD = 0.135, 0.27, 0.05
"""Heights of a line of text, of an arrow, and of a box's padding, in inches."""


@dataclass(frozen=True)
class Block:
    """Layers drawn as one box.

    Attributes
    ----------
    title
        Kind and number, such as "Convolution 2".
    colour
        Colour of the box.
    layers
        Type of each layer, with the window of a convolution or pooling.
    output_shape
        Shape of the last layer's output, without the batch.
    parameters
        Trainable parameters, summed over the layers.
    """

    title: str
    colour: str
    layers: tuple[str, ...]
    output_shape: tuple[int, ...]
    parameters: int


def group_blocks(architecture: list[Layer]) -> list[Block]:
    """Group successive layers whose names end in the same number, and those without a number.

    Parameters
    ----------
    architecture
        Rows of a model.json (see `reporting.architecture.Layer`), in order.

    Returns
    -------
    blocks
        In order. A layer without a number that drops a dimension (a reshape) is its own block.
    """
    groups: list[list[int]] = []
    previous: tuple | None = None
    dimensions = 0
    for index, row in enumerate(architecture):
        number = _number(row)
        key = (number, not number and len(row["output_shape"]) < dimensions)
        if key == previous:
            groups[-1].append(index)
        else:
            groups.append([index])
        previous, dimensions = key, len(row["output_shape"])
    return [_block(architecture, group) for group in groups]


def _number(row: Layer) -> str:
    """Give the digits at the end of a layer's name, after an underscore, or ""."""
    found = re.search(r"_(\d+)$", row["name"])
    return found.group(1) if found else ""


def _block(architecture: list[Layer], group: list[int]) -> Block:
    rows = [architecture[index] for index in group]
    types = [row["type"] for row in rows]
    kind, colour = next(
        (_KINDS[name] for name in _KINDS if name in types), (" + ".join(types), GREY)
    )
    return Block(
        title=f"{kind} {_number(rows[0])}".strip(),
        colour=colour,
        layers=tuple(_layer_text(architecture, index) for index in group),
        output_shape=tuple(rows[-1]["output_shape"]),
        parameters=sum(parameters(row) for row in rows),
    )


def _layer_text(architecture: list[Layer], index: int) -> str:
    type_name = architecture[index]["type"]
    name = _SHORT_TYPES.get(type_name, type_name)
    return f"{name} {window(architecture, index)}".strip()


@styled
def figure_4(architecture: list[Layer], *, caption: str = "") -> Figure:
    """Draw the block diagram of a model: a box per block, with the output shape below it.

    Parameters
    ----------
    architecture
        Rows as in `group_blocks`.
    caption
        Model and number of parameters.
    """
    blocks = group_blocks(architecture)
    texts = [
        wrap(" → ".join(layer.replace(" ", "\xa0") for layer in block.layers), COLUMN - 0.5)
        if block.layers != (block.title.lower(),)
        else ""
        for block in blocks
    ]
    heights = [_LINE * (1 + len(text.splitlines())) + 2 * _PAD for text in texts]
    total = sum(heights) + _GAP * len(blocks)
    figure = new_figure(COLUMN, total + 0.3 + 0.15 * wrap(caption, COLUMN).count("\n"), caption)
    axes = figure.add_subplot()
    axes.set(xlim=(0, COLUMN), ylim=(total, -0.03))
    axes.set_axis_off()
    top = 0.0
    for block, text, height in zip(blocks, texts, heights, strict=True):
        _draw_block(axes, block, text, top, height)
        top += height + _GAP
    return figure


def _draw_block(axes: Axes, block: Block, text: str, top: float, height: float) -> None:
    """Draw one box with its text, and the arrow with the output shape below it."""
    left, right, middle = 0.06, COLUMN - 0.06, COLUMN / 2
    axes.add_patch(
        FancyBboxPatch(
            (left, top),
            right - left,
            height,
            boxstyle="round,pad=0,rounding_size=0.05",
            facecolor=to_rgba(block.colour, 0.10),
            edgecolor=block.colour,
            linewidth=1.0,
        )
    )
    first = top + _PAD + _LINE / 2
    axes.text(left + 0.08, first, block.title, va="center", fontweight="bold")
    if block.parameters:
        note = f"{block.parameters:,} parameters"
        axes.text(right - 0.08, first, note, va="center", ha="right")
    axes.text(left + 0.08, top + _PAD + _LINE, text, va="top", linespacing=1.15)
    bottom = top + height
    axes.annotate(
        "",
        xy=(middle, bottom + _GAP - 0.02),
        xytext=(middle, bottom),
        arrowprops={"arrowstyle": "-|>", "color": "black", "linewidth": 0.8, "shrinkA": 0},
    )
    shape = shape_text(list(block.output_shape), channels_first=False)
    axes.text(middle + 0.1, bottom + _GAP / 2 - 0.01, shape, va="center")
