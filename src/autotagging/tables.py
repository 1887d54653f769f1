"""The paper's tables 1, 2 and 4 beside what was built and measured here."""

from typing import Any

import numpy as np
import pandas as pd

from autotagging.architecture import Layer, find_layer, parameters, shape_text, window
from autotagging.seeds import over_seeds

# Table 1 of the paper: row, its value, which of ours stands beside it, unit, remark.
_PAPER_TABLE_1 = (
    ("Time frame", "29.12", "seconds", "s", "sec. II.B also says 29.14 s, a slip"),
    ("Sampling rate", "12000", "sample_rate", "samples/s", ""),
    ("FFT frame size", "512", "n_fft", "samples", ""),
    ("Hop size", "256", "hop_length", "samples", "from one frame's start to the next's"),
    ("No. of mel filters", "96", "n_mels", "", ""),
    ("Mel-time matrix size", "1x96x1366", "matrix", "channels x mel bins x frames", ""),
    ("Frames added in zero padding", "74", "added", "frames", "half at each end"),
    (
        "Mel-time matrix after zero padding",
        "1x96x1400",
        "padded_matrix",
        "channels x mel bins x frames",
        "the paper's 1400 is a slip: 1366 + 74 = 1440, as in its Table 2",
    ),
)

# Table 2 of the paper: row, its value, the layer beside it (type, and which of that type), what
# to take of that layer.
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

_MEASURES = ("roc_auc", "accuracy", "loss")
_BASELINES = ("accuracy_all_zero", "accuracy_prior", "loss_prior")
_TABLE_4_COLUMNS = (
    *("source", "method", "year", "roc_auc", "roc_auc_std"),
    *("accuracy", "accuracy_std", "accuracy_all_zero", "accuracy_prior"),
    *("loss", "loss_std", "loss_prior"),
    *("corpus", "split", "tags", "seeds", "epochs", "best_epoch"),
    *("comparable_with_paper", "citation", "note"),
)
_TAGS = {"merge": "merged", "keep": "raw"}
_MEASURED, _CITED = "measured here", "cited"


def tag_distribution(raw_tags: pd.DataFrame) -> pd.DataFrame:
    """List the merged tags with their counts before and after merging, most frequent first.

    Parameters
    ----------
    raw_tags : (raw tags, 5)
        raw_tag, count, merged_into, merged_count, kept (0 or 1).

    Returns
    -------
    table : (merged tags, 6)
        rank, tag, clips_before (of the raw tag of that name), clips_after, kept ("yes" or "no"),
        merged_from.
    """
    own = raw_tags.set_index("raw_tag")["count"]
    rows = [
        {
            "tag": tag,
            "clips_before": own.get(tag, 0),
            "clips_after": group["merged_count"].iloc[0],
            "kept": "yes" if group["kept"].iloc[0] else "no",
            "merged_from": ", ".join(group["raw_tag"]) if len(group) > 1 else "",
        }
        for tag, group in raw_tags.groupby("merged_into")
    ]
    table = pd.DataFrame(rows).sort_values(
        ["clips_after", "kept", "tag"], ascending=[False, False, True], ignore_index=True
    )
    table.insert(0, "rank", range(1, len(table) + 1))
    return table


def table_1(front_end: dict[str, Any], *, padded_frames: int) -> pd.DataFrame:
    """Set the front end's parameters beside the paper's.

    Parameters
    ----------
    front_end
        sample_rate (Hz), n_fft, hop_length (samples), n_mels, seconds, frames.
    padded_frames
        Frames of the first convolution's input.

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
    """Set the layers of a built model beside the paper's Table 2, in the order of the layers.

    Parameters
    ----------
    architecture
        Rows of a model.json (see architecture.py), in order.

    Returns
    -------
    table : (rows, 7)
        row (of the paper; empty for layers it doesn't list), paper, here (channels x mel bins x
        frames, as the paper has it), agrees, layer, type, parameters (trainable, once per layer).
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
    """Say of a layer what the paper's table says of it, in its notation."""
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


def table_4(metrics: list[dict[str, Any]], published: list[dict[str, Any]]) -> pd.DataFrame:
    """Set ROC-AUC measured here above the paper's rows and newer ones, as cited.

    Parameters
    ----------
    metrics
        Contents of the metrics.json of each model and seed.
    published
        Cited rows: method, year, roc_auc, citation, tags, split, comparable, note; in the one of
        `this_paper` also epochs.

    Returns
    -------
    table : (rows, 21)
        source ("measured here" or "cited"), method, year; roc_auc (macro), accuracy, loss, each
        the mean over seeds and, as _std, their standard deviation (n - 1; NaN for one, 0 if all
        are equal); accuracy_all_zero, accuracy_prior, loss_prior; corpus, split, tags; seeds (how
        many), epochs (of one training, or from - to), best_epoch (of each seed, in their order);
        comparable_with_paper ("yes" or "no"), citation, note.
    """
    paper = next((row for row in published if row.get("this_paper")), {})
    runs = pd.DataFrame([_run(each) for each in metrics])
    groups = runs.groupby(["method", "corpus", "split"], sort=False)
    measured = [_measured_row(group, paper) for _, group in groups]
    cited = [
        {
            "source": _CITED,
            "corpus": "magnatagatune",
            **row,
            "epochs": str(row.get("epochs", "")),
            "comparable_with_paper": "yes" if row["comparable"] else "no",
        }
        for row in published
    ]
    table = pd.DataFrame(measured + cited).reindex(columns=_TABLE_4_COLUMNS)
    return table.astype({"year": "Int64", "seeds": "Int64"})


def _run(metrics: dict[str, Any]) -> dict[str, Any]:
    """Flatten one metrics.json to what the table needs; undefined numbers become NaN."""
    n_tags, n_scored = metrics["n_tags"], metrics["n_tags_scored"]
    scored = f", {n_scored} scored" if n_scored < n_tags else ""
    all_zero, prior = metrics["baselines"]["all_zero"], metrics["baselines"]["prior"]
    numbers = {
        "roc_auc": metrics["roc_auc_macro"],
        "accuracy": metrics["accuracy"],
        "loss": metrics["loss"],
        "accuracy_all_zero": all_zero["accuracy"],
        "accuracy_prior": prior["accuracy"],
        "loss_prior": prior["loss"],
    }
    return {
        "method": metrics["model"],
        "corpus": metrics["corpus"],
        "split": metrics["split"],
        "epochs": metrics.get("epochs") or 0,
        "best_epoch": str(metrics.get("best_epoch") or ""),
        "tags": f"{n_tags} {_TAGS[metrics['synonyms']]}{scored}",
        **{name: np.nan if value is None else float(value) for name, value in numbers.items()},
    }


def _measured_row(runs: pd.DataFrame, paper: dict[str, Any]) -> dict[str, Any]:
    """Mean over the seeds of one model, and their sample standard deviation if several.

    Only the same corpus, split and tags make it comparable with the paper.
    """
    first = runs.iloc[0]
    row = {"source": _MEASURED, "seeds": len(runs), "epochs": _epochs(runs["epochs"], paper)}
    row |= {name: first[name] for name in ("method", "corpus", "split")}
    row["best_epoch"] = "; ".join(epoch for epoch in runs["best_epoch"] if epoch)
    row["tags"] = "; ".join(runs["tags"].unique())
    mean, std = over_seeds(runs[[*_MEASURES]].T)
    row |= {**mean, **std.add_suffix("_std")}
    row |= {name: first[name] for name in _BASELINES}
    same = [name for name in ("split", "tags") if row[name] == paper.get(name)]
    like_paper = first["corpus"] == "magnatagatune" and len(same) == 2
    row["comparable_with_paper"] = "yes" if like_paper else "no"
    row["note"] = _corpus_note(first["corpus"], like_paper)
    return row


def _epochs(epochs: pd.Series, paper: dict[str, Any]) -> str:
    """Say how long the trainings were, beside the paper's; nothing of a model without epochs."""
    low, high = epochs.min(), epochs.max()
    if not high:
        return ""
    of_paper = f" of {paper['epochs']}" if paper else ""
    return f"{high}{of_paper}" if low == high else f"{low} - {high}{of_paper}"


def _corpus_note(corpus: str, like_paper: bool) -> str:
    if corpus == "demo":
        return "synthetic demo corpus, not comparable with MagnaTagATune"
    if corpus != "magnatagatune":
        return "another corpus, not comparable with MagnaTagATune"
    return "" if like_paper else "another split or other tags than the paper's"
