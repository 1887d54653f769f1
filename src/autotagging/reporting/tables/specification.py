"""Tables of the front end and the layers, compared with the paper's Tables 1 and 2 (sec. II)."""

from typing import Any

import pandas as pd

from autotagging.reporting.architecture import Layer, find_layer, parameters, shape_text, window

# Table 1 of the paper: row, value, key of the value here, unit, remark.
_PAPER_TABLE_1 = (
    ("Time frame", "29.12", "seconds", "s", "sec. II.B also says 29.14 s, a slip"),
    ("Sampling rate", "12000", "sample_rate", "samples/s", ""),
    ("FFT frame size", "512", "n_fft", "samples", ""),
    ("Hop size", "256", "hop_length", "samples", "between starts of consecutive frames"),
    ("No. of mel filters", "96", "n_mels", "", ""),
    ("Mel-time matrix size", "1x96x1366", "matrix", "channels x mel bins x frames", ""),
    ("Frames added in zero padding", "74", "added", "frames", "half at each end"),
    (
        "Mel-time matrix after zero padding",
        "1x96x1400",
        "padded_matrix",
        "channels x mel bins x frames",
        "slip in the paper: 1366 + 74 = 1440 (its Table 2)",
    ),
)

# Table 2 of the paper: row, value, the layer that it describes (type, and number among that type),
# property of that layer.
_PAPER_TABLE_2 = (
    ("Input shape", "1x96x1440", ("first input", 1), "shape"),
    ("1st convolution layer", "64x3x3", ("Conv2D", 1), "filters"),
    ("Max pooling", "2x2", ("MaxPooling2D", 1), "window"),
    ("Input to 2nd convolution", "64x48x720", ("MaxPooling2D", 1), "shape"),
    ("2nd convolution layer", "128x3x3", ("Conv2D", 2), "filters"),
    ("Max pooling", "3x3", ("MaxPooling2D", 2), "window"),
    ("Input to 3rd convolution", "128x16x240", ("MaxPooling2D", 2), "shape"),
    ("3rd convolution layer", "128x3x3", ("Conv2D", 3), "filters"),
    ("Max pooling", "4x4", ("MaxPooling2D", 3), "window"),
    ("Input to 4th convolution", "128x4x60", ("MaxPooling2D", 3), "shape"),
    ("4th convolution layer", "128x3x3", ("Conv2D", 4), "filters"),
    ("Max pooling", "4x4", ("MaxPooling2D", 4), "window"),
    ("CNN output", "128x1x15", ("MaxPooling2D", 4), "shape"),
    ("Reshaped input to RNN", "15x128", ("Reshape", -1), "shape"),
    ("RNN", "GRU(32)", ("GRU", 1), "units"),
    ("RNN", "GRU(32)", ("GRU", 2), "units"),
    ("FC layer", "50", ("Dense", -1), "shape"),
    ("Model output", "50 different tags", ("Dense", -1), "tags"),
)


def table_1(front_end: dict[str, Any], *, padded_frames: int) -> pd.DataFrame:
    """Compare the front end's parameters with the paper's.

    Parameters
    ----------
    front_end
        sample_rate (Hz), n_fft, hop_length (samples), n_mels, seconds, frames.
    padded_frames
        Frames of the first convolution's input, after padding.

    Returns
    -------
    table : (8, 6)
        parameter, paper, here, unit, agrees ("yes" or "no"), remark.
    """
    n_mels, frames = front_end["n_mels"], front_end["frames"]
    ours = {
        **front_end,
        "matrix": f"1x{n_mels}x{frames}",
        "added": padded_frames - frames,
        "padded_matrix": f"1x{n_mels}x{padded_frames}",
    }
    rows = [
        (name, paper, str(ours[key]), unit, _agrees(paper, str(ours[key])), remark)
        for name, paper, key, unit, remark in _PAPER_TABLE_1
    ]
    return pd.DataFrame(rows, columns=["parameter", "paper", "here", "unit", "agrees", "remark"])


def table_2(architecture: list[Layer]) -> pd.DataFrame:
    """Compare the layers of a built model, in their order, with the paper's Table 2.

    Parameters
    ----------
    architecture
        Rows of a model.json (see `reporting.architecture.Layer`), in order.

    Returns
    -------
    table : (rows, 7)
        row (of the paper; empty for layers it doesn't list), paper, here (channels x mel bins x
        frames, as in the paper), agrees, layer, type, parameters (trainable, once per layer).
    """
    rows = []
    for name, paper, selector, quantity in _PAPER_TABLE_2:
        index = find_layer(architecture, *selector)
        here = "no such layer" if index is None else _quantity(architecture, index, quantity)
        order = len(architecture) if index is None else index
        rows.append((order, name, paper, here, _agrees(paper, here)))
    listed = {row[0] for row in rows}
    rows += [
        (index, "", "", shape_text(layer["output_shape"], channels_first=True), "")
        for index, layer in enumerate(architecture)
        if index not in listed
    ]
    rows.sort(key=lambda row: row[0])
    table = pd.DataFrame(rows, columns=["order", "row", "paper", "here", "agrees"])
    layers = [*architecture, {"name": "", "type": "", "parameters": 0}]
    table["layer"] = [layers[order]["name"] for order in table["order"]]
    table["type"] = [layers[order]["type"] for order in table["order"]]
    table["parameters"] = [parameters(layers[order]) for order in table["order"]]
    table["parameters"] = table["parameters"].astype("Int64").mask(table.duplicated("order"))
    return table.drop(columns="order")


def _quantity(architecture: list[Layer], index: int, quantity: str) -> str:
    """Format a property of a layer in the notation of the paper's table."""
    layer = architecture[index]
    channels = layer["output_shape"][-1]
    return {
        "shape": shape_text(layer["output_shape"], channels_first=True),
        "filters": f"{channels}x{window(architecture, index)}",
        "window": window(architecture, index),
        "units": f"{layer['type']}({channels})",
        "tags": f"{channels} different tags",
    }[quantity]


def _agrees(paper: str, here: str) -> str:
    return "yes" if paper == here else "no"
