"""A bundle of a network whose scores can be computed by hand, and songs to tag."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from autotagging.mel.spectrogram import describe_front_end
from autotagging.tagging.front_end import librosas_filters

RATE, SECONDS = 12_000, 2.0
"""Sample rate and length of a window of the bundle."""
FRONT_END = describe_front_end(
    sample_rate=RATE, n_fft=512, hop_length=256, n_mels=96, seconds=SECONDS, log_scale="power_db"
)
TAGS = ("low", "high")


def write_bundle(folder: Path, *, thresholds=None, categories=None) -> Path:
    """Write a bundle of two tags: "low" and "high" for the energy below and above 3 kHz.

    The score of a tag is the sigmoid of (mean level in dB + 70) / 10 over its mel bins.
    """
    onnx = pytest.importorskip("onnx", reason="the extra `export` is not installed")
    from onnx import helper, numpy_helper

    folder.mkdir(parents=True, exist_ok=True)
    weights = np.zeros((96, 2), np.float32)
    weights[:64, 0] = 0.1 / 64
    weights[64:, 1] = 0.1 / 32
    shape = ["batch", 96, FRONT_END["frames"]]
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["log_mel"], ["means"], axes=[2], keepdims=0),
            helper.make_node("MatMul", ["means", "weights"], ["levels"]),
            helper.make_node("Add", ["levels", "bias"], ["logits"]),
            helper.make_node("Sigmoid", ["logits"], ["tags"]),
        ],
        "levels",
        [helper.make_tensor_value_info("log_mel", onnx.TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("tags", onnx.TensorProto.FLOAT, ["batch", 2])],
        [
            numpy_helper.from_array(weights, "weights"),
            numpy_helper.from_array(np.full(2, 7.0, np.float32), "bias"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
    onnx.save(model, folder / "model.onnx")
    np.savez(folder / "mel.npz", **librosas_filters(FRONT_END))
    described = {"model": "levels", "seed": 0, "digest": "d" * 64, "tags": [*TAGS]}
    described |= {
        "categories": {"low": "genre", "high": "mood"} if categories is None else categories
    }
    described |= {"thresholds": {"low": 0.6, "high": 0.6} if thresholds is None else thresholds}
    described |= {"input_shape": [96, FRONT_END["frames"]], "windows": None, "front_end": FRONT_END}
    described |= {"window_seconds": SECONDS}
    described["sha256"] = {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
        for name in ("model.onnx", "mel.npz")
    }
    (folder / "bundle.json").write_text(json.dumps(described))
    return folder


def tone(seconds: float, frequency: float, *, rate: int = RATE, amplitude: float = 0.5):
    """Make a sine: float32, (samples,)."""
    time = np.arange(round(seconds * rate)) / rate
    return (amplitude * np.sin(2 * np.pi * frequency * time)).astype(np.float32)


def write_song(path: Path, *parts: np.ndarray, rate: int = RATE) -> Path:
    """Write a song; its format is that of the suffix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.concatenate(parts), rate)
    return path


def write_ffmpeg(folder: Path, code: str) -> str:
    """Write a program `ffmpeg` in Python; return the PATH that has it and nothing else."""
    import sys

    program = folder / "ffmpeg"
    program.write_text(f"#!{sys.executable}\n{code}\n")
    program.chmod(0o755)
    return str(folder)
