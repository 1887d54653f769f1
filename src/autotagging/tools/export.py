"""Export a trained model for use without this project: the command `autotagging export`.

The model is rebuilt from stock Keras layers, and every file is loaded again and compared.
"""

import json
import re
import sys
import warnings
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from autotagging import models
from autotagging.common.errors import UserError
from autotagging.common.files import replacing, write_arrays
from autotagging.common.progress import native_log_hidden
from autotagging.models.stored import StoredModel, build_network, load_model, stock_class
from autotagging.tagging.bundle import BUNDLE, FILTERS, NETWORK, write_bundle
from autotagging.tagging.bundle_values import fault_of_tags
from autotagging.tagging.front_end import librosas_filters
from autotagging.tagging.runtime import onnx_runtime
from autotagging.tagging.trained import read_trained, result_of

if TYPE_CHECKING:
    import keras
    import onnx

_TEMPLATE = Path(__file__).with_suffix(".md")
_TOLERANCE = 1e-5
_ONNX_NEEDS = ("onnxruntime", "tf2onnx")
_UNITS = {
    "power_db": "dB: 10 log10 of the mel power, with 1.0 as reference and a floor of -100 dB",
    "squared_power_db": "dB: 10 log10 of the squared mel power, 80 dB below its peak at the lowest",
    "log1p": "no unit: natural logarithm of 1 + mel power",
}
_GATES = (
    " The gates of its GRUs have the hard sigmoid of Keras 3, clip(x / 6 + 0.5, 0, 1), and their "
    "weights are 1.2 times those of the trained model, whose gates are those of Keras 1, "
    "clip(0.2 x + 0.5, 0, 1): the same function."
)


def export(
    *, model_json: Path, out: Path, card: Path | None = None, per_tag: Path | None = None
) -> None:
    """Export a trained network: for autotagging tag, ONNX Runtime and Keras.

    The folder has model.onnx, bundle.json and mel.npz (filters and window of the front end), for
    `autotagging tag`; model.keras, which has only stock Keras layers; tags.txt; and a README.md
    that explains their use. The first three need the packages of the extra `export`; without them
    they are left out, with a message. Before anything is written, the scores of both networks on
    random spectrograms are compared with those of the trained model.

    Parameters
    ----------
    model_json
        model.json of a trained network, next to its weights.npz.
    out
        Output: folder of the exported files.
    card
        Model card of the model; README.md then begins with it, as the Hugging Face Hub expects.
        Without it, that in figures/model_card/ of the same results/ is taken, if it is there.
    per_tag
        per_tag.csv of the model's evaluation, with the categories of the tags and the thresholds
        that were chosen on validation clips. Without it, that in the same results/ is read; if
        there is none, all thresholds are 0.5.

    Raises
    ------
    UserError
        The model is no network, its file is not valid, it has a tag that `autotagging tag` would
        refuse, the card is of another model, the folder has another README.md, or an exported file
        gives other scores.
    """
    described = read_trained(model_json, per_tag=per_tag)
    if wrong := fault_of_tags(described["tags"]):
        raise UserError(f"{model_json}: {wrong}")
    stored = load_model(model_json)
    _check_folder(out)
    text = _describe(stored, card)
    _prepare_keras()
    network = build_network(stored)
    exported = {"model.keras": _export_keras}
    missing = [name for name in _ONNX_NEEDS if find_spec(name) is None]
    if missing:
        print(
            f"model.onnx is left out; it needs {' and '.join(missing)}: pip install -e '.[export]'",
            file=sys.stderr,
        )
    else:
        exported[NETWORK] = _export_onnx
    with ExitStack() as files:

        def new(name: str) -> Path:
            return files.enter_context(replacing(out / name))

        written = {}
        for name, write in exported.items():
            written[name] = new(name)
            score = write(stored, stock_network(network), written[name])
            _compare(name, score, network)
        if not missing:
            written[FILTERS] = new(FILTERS)
            write_arrays(written[FILTERS], librosas_filters(described["front_end"]))
            of_tagger = {name: written[name] for name in (NETWORK, FILTERS)}
            written[BUNDLE] = new(BUNDLE)
            write_bundle(written[BUNDLE], described, of_tagger)
        written["tags.txt"] = new("tags.txt")
        lines = "".join(f"{tag}\n" for tag in described["tags"])
        written["tags.txt"].write_text(lines, encoding="utf-8")
        written["README.md"] = new("README.md")
        written["README.md"].write_text(text, encoding="utf-8")
    for name in (NETWORK, FILTERS, BUNDLE) if missing else ():
        (out / name).unlink(missing_ok=True)  # of an older export
    if not (missing or described["thresholds"]):
        text = "per_tag.csv has no thresholds, or is missing, so that all are 0.5"
        print(f"warning: {text}; --per-tag names another table", file=sys.stderr)
    print(f"{out}: {', '.join(written)}", file=sys.stderr)


def _check_folder(out: Path) -> None:
    """Raise UserError if a README.md would be replaced that is not that of an export."""
    if (out / "README.md").exists() and not (out / "model.keras").exists():
        raise UserError(
            f"{out}: has a README.md, but no exported model; name another folder by --out"
        )


def stock_network(network: "keras.Model") -> "keras.Model":
    """Copy a network; layers of this project become the Keras layers that they derive from.

    GRUs whose gates have the hard sigmoid of Keras 1 get that of Keras 3, and larger weights of the
    gates: the same function except for rounding.

    Raises
    ------
    UserError
        A layer derives directly from keras.Layer.
    """
    import keras

    def stock(layer: keras.Layer) -> keras.Layer:
        kind = stock_class(layer)
        if kind is keras.Layer:
            raise UserError(f"layer {layer.name!r}, {type(layer).__name__}: no such layer in Keras")
        gates = {"recurrent_activation": "hard_sigmoid"} if _has_gates_of_keras_1(layer) else {}
        return kind.from_config({**layer.get_config(), **gates})

    copy = keras.models.clone_model(network, clone_function=stock)
    copy.set_weights(network.get_weights())
    for layer in filter(_has_gates_of_keras_1, network.layers):
        # clip(0.2 x + 0.5, 0, 1) is Keras' hard sigmoid, clip(y / 6 + 0.5, 0, 1), of y = 1.2 x. The
        # weights are those of both gates, then of the candidate, along the last axis.
        scale = np.repeat(np.float32([1.2, 1]), [2 * layer.units, layer.units])
        copy.get_layer(layer.name).set_weights([scale * each for each in layer.get_weights()])
    return copy


def _has_gates_of_keras_1(layer: "keras.Layer") -> bool:
    """Tell whether a layer is a GRU with the hard sigmoid of Keras 1."""
    import keras

    from autotagging.models.layers import hard_sigmoid

    return isinstance(layer, keras.layers.GRU) and layer.recurrent_activation is hard_sigmoid


def _prepare_keras() -> None:
    """Load Keras for the CPU, because rounding on GPUs may exceed the tolerance."""
    with native_log_hidden():
        import keras  # noqa: F401
        import tensorflow as tf
    with suppress(RuntimeError):  # too late if TensorFlow has been used before
        tf.config.set_visible_devices([], "GPU")


def _export_keras(stored: StoredModel, network: "keras.Model", path: Path) -> Callable:
    """Write a .keras file; return a function from spectrograms to the file's scores."""
    import keras

    network.save(path)
    loaded = keras.saving.load_model(path, compile=False, safe_mode=True)
    return lambda mel: loaded(mel, training=False).numpy()


def _export_onnx(stored: StoredModel, network: "keras.Model", path: Path) -> Callable:
    """Write an .onnx file with the names of its tags; return a function as in `_export_keras`."""
    import keras
    import onnx

    signature = [keras.InputSpec("float32", (None, *network.input_shape[1:]), name="log_mel")]
    with native_log_hidden(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # from keras and tf2onnx, on numpy's names
        network.export(path, format="onnx", verbose=False, input_signature=signature)
    proto = onnx.load(path)
    _replace_elus(proto.graph)
    (output,) = proto.graph.output
    for node in proto.graph.node:
        node.output[:] = ["tags" if name == output.name else name for name in node.output]
    output.name = "tags"
    for value in (*proto.graph.input, output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    entries = {name: json.dumps(stored.description[name]) for name in ("tags", "front_end")}
    onnx.helper.set_model_props(proto, entries)
    onnx.checker.check_model(proto, full_check=True)
    onnx.save(proto, path)
    session = onnx_runtime().InferenceSession(path, providers=["CPUExecutionProvider"])
    return lambda mel: session.run(["tags"], {"log_mel": mel})[0]


def _replace_elus(graph: "onnx.GraphProto") -> None:
    """Write each ELU as max(x, exp(min(x, 0)) - 1): ONNX Runtime takes half the time for it."""
    from onnx.helper import make_node

    nodes = []
    for node in graph.node:
        if node.op_type != "Elu":
            nodes.append(node)
            continue
        (x,), (elu,) = node.input, node.output
        zero, one, negative, power, below = (f"{elu}_{number}" for number in range(5))
        nodes += [
            make_node("Constant", [], [zero], value_float=0.0),
            make_node("Constant", [], [one], value_float=1.0),
            make_node("Min", [x, zero], [negative]),
            make_node("Exp", [negative], [power]),
            make_node("Sub", [power, one], [below]),
            make_node("Max", [x, below], [elu]),
        ]
    del graph.node[:]
    graph.node.extend(nodes)


def _compare(name: str, score: Callable, network: "keras.Model") -> None:
    """Compare scores of three random spectrograms; raise a UserError if they differ."""
    rng = np.random.default_rng(0)
    mel = rng.normal(-30, 20, (3, *network.input_shape[1:])).astype(np.float32)
    difference = np.abs(score(mel) - network(mel, training=False).numpy()).max()
    if not difference <= _TOLERANCE:
        raise UserError(
            f"{name}: its scores differ from the model's by {difference:.1e}, more than "
            f"{_TOLERANCE:.0e}; nothing was written"
        )


def _describe_windows(model: Mapping[str, Any]) -> str:
    """Say where the windows of a clip begin, as a paragraph; nothing for a network of clips."""
    cut = models.windows(model["options"])
    if cut is None:
        return ""
    frames = model["front_end"]["frames"]
    starts = cut.starts(frames).tolist()
    repeats = -(-cut.frames // frames)
    return (
        f"\nThe spectrogram `mel` of a clip has {frames} frames. Its scores are the means over "
        "windows that begin\nat these frames, counted from 0:\n\n"
        f"    starts = {starts}\n"
        + (f"    mel = numpy.tile(mel, {repeats})\n" if repeats > 1 else "")
        + f"    windows = numpy.stack([mel[:, start : start + {cut.frames}] for start in starts])\n"
    )


def _describe(stored: StoredModel, card: Path | None) -> str:
    """Fill in the README.md of the exported files; below a model card, as sections of it."""
    model = stored.description
    mel_bins, frames = model["input_shape"]
    front_end, trained_on = (
        "\n".join(f"- {name}: {value}" for name, value in model[entry].items())
        for entry in ("front_end", "trained_on")
    )
    text = _TEMPLATE.read_text(encoding="utf-8").format(
        model=model["model"],
        seed="not known" if model["seed"] is None else model["seed"],
        corpus=model["corpus"],
        split=model["split"],
        n_tags=len(model["tags"]),
        mel_bins=mel_bins,
        frames=frames,
        whole="a window of a clip" if models.windows(model["options"]) else "a clip",
        windows=_describe_windows(model),
        gates=_GATES if model["options"].get("gru_gates") == "hard_sigmoid" else "",
        unit=_UNITS[model["front_end"]["log_scale"]],
        front_end=front_end,
        trained_on=trained_on,
    )
    found = card or result_of(stored.path, "figures/model_card/{model}-{seed}.md")
    if found is None:
        return text
    above = found.read_text(encoding="utf-8")
    if model["weights_sha256"] not in above:
        if card is None:  # of an earlier training
            return text
        raise UserError(f"{card}: not the model card of {stored.path}")
    return f"{above}\n{re.sub('^#', '##', text, flags=re.MULTILINE)}"
