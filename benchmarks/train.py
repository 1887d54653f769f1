"""Speed and memory of training steps and scoring, compared with Keras and PyTorch.

Usage: python benchmarks/train.py [THREADS] [--model fcn4] [--width 0.25] [--batch 8], from the top
of the repository. The model is the CRNN, and the batch 32, if nothing else is said.

Each row has processes of its own, one after another in two rounds, because memory does not suffice
for all at once; all use the same batch, and keep freed memory. Stock Keras is a model of Keras
layers, trained by `train_on_batch` and used by `predict_on_batch`. The floor is the convolutions
alone, with their gradients (without that of the first one's input), by TensorFlow's operations.
PyTorch is measured for the CRNN, if it is installed; the pipeline does not need it. Each framework
uses a GPU if it finds one.
"""

import argparse
import os
import resource
import sys
import time
from collections.abc import Callable
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

import numpy as np
import yaml
from on_gpu.sizes import FULL, MEL_BINS, TAGS

from autotagging.common.memory import keep_freed_memory

FRAMES = FULL.frames
ROUNDS, WARM_UP, STEPS = 2, 2, 4


class Network(NamedTuple):
    """Convolutions of a model: filters, and height and width of each input."""

    filters: tuple[int, ...]
    sizes: tuple[tuple[int, int], ...]


NETWORKS = {
    "crnn": Network((64, 128, 128, 128), ((96, 1440), (48, 720), (16, 240), (4, 60))),
    "fcn4": Network((128, 384, 768, 2048), ((96, 1366), (48, 341), (12, 68), (4, 8))),
}
FCN4_POOLS = ((2, 4), (4, 5), (3, 8), (4, 8))


class Setting(NamedTuple):
    """What is measured: a model, the width of FCN-4, clips per step, CPU threads."""

    model: str
    width: float
    batch: int
    threads: int

    @property
    def filters(self) -> list[int]:
        return [int(self.width * filters) for filters in NETWORKS[self.model].filters]


Step = Callable[[], object]


def batch(clips: int) -> tuple[np.ndarray, np.ndarray]:
    """Spectrograms in dB, and labels of the same density as those of MagnaTagATune."""
    rng = np.random.default_rng(0)
    mel = rng.normal(-30, 15, (clips, MEL_BINS, FRAMES)).astype(np.float32)
    return mel, (rng.random((clips, TAGS)) < 0.054).astype(np.float32)


def ours(setting: Setting, precision: str = "float32") -> Step:
    network = build(setting, precision)
    import keras

    from autotagging.training.devices import Devices
    from autotagging.training.step import make_train_step

    optimizer = keras.optimizers.Adam(0.001)
    optimizer.build(network.trainable_variables)
    step = make_train_step(network, optimizer, Devices("one device", xla=True))
    mel, labels = batch(setting.batch)
    return lambda: float(step(mel, labels)[0])


def ours_scoring(setting: Setting, precision: str = "float32") -> Step:
    network = build(setting, precision)
    from autotagging.training.step import make_scorer

    score, size = make_scorer(network), setting.batch
    mel, _ = batch(size)
    return lambda: score(np.arange(size), lambda clips: mel[clips], batch_size=size)


def build(setting: Setting, precision: str):
    from autotagging import models
    from autotagging.common.params import options_of
    from autotagging.training.devices import prepare

    prepare(seed=0, threads=setting.threads)
    sections = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))["train"]
    options = options_of(sections[setting.model]) | (
        {"width": setting.width} if setting.model == "fcn4" else {}
    )
    shape = (MEL_BINS, FRAMES)
    return models.build(
        setting.model, input_shape=shape, n_tags=TAGS, precision=precision, **options
    )


def stock_keras(setting: Setting, precision: str = "float32") -> Step:
    model = build_stock(setting, precision)
    mel, labels = batch(setting.batch)
    return lambda: model.train_on_batch(mel, labels)


def stock_keras_scoring(setting: Setting, precision: str = "float32") -> Step:
    model, mel = build_stock(setting, precision), batch(setting.batch)[0]
    return lambda: model.predict_on_batch(mel)


def build_stock(setting: Setting, precision: str = "float32"):
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(setting.threads)
    import keras
    from on_gpu import stock

    if setting.model == "crnn":
        model = stock.build(FULL, precision)
    else:
        keras.config.set_dtype_policy(precision)
        model = build_stock_fcn4(setting.filters)
    model.compile(keras.optimizers.Adam(0.001), "binary_crossentropy")
    return model


def build_stock_fcn4(filters: list[int]):
    """Build FCN-4 in the order of its source, with normalized mel bins."""
    from keras import Input, Model, layers

    x = inputs = Input((MEL_BINS, FRAMES))
    x = layers.BatchNormalization(axis=1)(x)
    x = layers.Reshape((MEL_BINS, FRAMES, 1))(x)
    for channels, pool in zip(filters, FCN4_POOLS, strict=True):
        x = layers.Conv2D(channels, 3, padding="same")(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
        x = layers.Dropout(0.5)(layers.MaxPooling2D(pool)(x))
    outputs = layers.Dense(TAGS, activation="sigmoid", dtype="float32")(layers.Flatten()(x))
    return Model(inputs, outputs)


def convolutions(setting: Setting) -> Step:
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(setting.threads)
    clips, channels = setting.batch, 1
    layers = []
    for (height, width), filters in zip(
        NETWORKS[setting.model].sizes, setting.filters, strict=True
    ):
        layers.append(
            (
                tf.random.normal((clips, height, width, channels)),
                tf.random.normal((3, 3, channels, filters), stddev=0.05),
                tf.random.normal((clips, height, width, filters)),
            )
        )
        channels = filters

    @tf.function
    def step():
        results = []
        for images, kernel, upstream in layers:
            common = {"out_backprop": upstream, "strides": [1] * 4, "padding": "SAME"}
            results.append(tf.nn.conv2d(images, kernel, 1, "SAME"))
            results.append(
                tf.raw_ops.Conv2DBackpropFilter(input=images, filter_sizes=kernel.shape, **common)
            )
            if images.shape[-1] > 1:
                results.append(
                    tf.raw_ops.Conv2DBackpropInput(
                        input_sizes=images.shape, filter=kernel, **common
                    )
                )
        return [result[0, 0, 0, 0] for result in results]

    return lambda: [result.numpy() for result in step()]


def pytorch(setting: Setting, precision: str = "float32", **options: bool) -> Step:
    import torch
    from on_gpu import torch_network

    torch.set_num_threads(setting.threads)
    step = torch_network.make_step(FULL, precision, **options)
    mel, labels = batch(setting.batch)
    return lambda: float(step(mel, labels))


def pytorch_scoring(setting: Setting, precision: str = "float32", **options: bool) -> Step:
    import torch
    from on_gpu import torch_network

    torch.set_num_threads(setting.threads)
    score = torch_network.make_scorer(FULL, precision, **options)
    mel, _ = batch(setting.batch)
    return lambda: score(mel).cpu()


FLOOR = "the convolutions alone"
EAGER = {"channels_last": True, "compiled": False}
COMPILED = {"channels_last": True, "compiled": True}
HALF = {"precision": "mixed_bfloat16"}
ROWS = {
    "stock Keras": stock_keras,
    "stock Keras, mixed_bfloat16": partial(stock_keras, **HALF),
    "this, float32": ours,
    "this, mixed_bfloat16": partial(ours, **HALF),
    FLOOR: convolutions,
    "PyTorch": partial(pytorch, channels_last=False, compiled=False),
    "PyTorch, channels last": partial(pytorch, **EAGER),
    "PyTorch, channels last, compiled": partial(pytorch, **COMPILED),
    "PyTorch, channels last, mixed_bfloat16": partial(pytorch, **EAGER, **HALF),
    "PyTorch, channels last, compiled, mixed_bfloat16": partial(pytorch, **COMPILED, **HALF),
    "stock Keras, scoring": stock_keras_scoring,
    "stock Keras, scoring, mixed_bfloat16": partial(stock_keras_scoring, **HALF),
    "this, scoring, float32": ours_scoring,
    "this, scoring, mixed_bfloat16": partial(ours_scoring, **HALF),
    "PyTorch, channels last, scoring": partial(pytorch_scoring, **EAGER),
    "PyTorch, channels last, compiled, scoring": partial(pytorch_scoring, **COMPILED),
    "PyTorch, channels last, scoring, mixed_bfloat16": partial(pytorch_scoring, **EAGER, **HALF),
    "PyTorch, channels last, compiled, scoring, mixed_bfloat16": partial(
        pytorch_scoring, **COMPILED, **HALF
    ),
}


def stock_row(name: str) -> str:
    """Name the row of stock Keras that does the same in the same precision."""
    same = [part for part in ("scoring", "mixed_bfloat16") if part in name]
    return ", ".join(["stock Keras", *same])


def take_steps(name: str, setting: Setting, results: Connection) -> None:
    """Take some steps; send the seconds and CPU seconds of each, and the peak memory in GB."""
    os.environ["OMP_NUM_THREADS"] = str(setting.threads)
    keep_freed_memory(large=True)
    seconds = []
    try:
        step = ROWS[name](setting)
        for number in range(WARM_UP + STEPS):
            started, used = time.perf_counter(), time.process_time()
            step()
            if number >= WARM_UP:
                seconds.append((time.perf_counter() - started, time.process_time() - used))
    except Exception as error:
        print(f"{name} is left out: {error}"[:300], file=sys.stderr)
    results.send((seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "threads", type=int, nargs="?", default=os.cpu_count(), help="CPU threads; all by default"
    )
    parser.add_argument("--model", choices=NETWORKS, default="crnn", help="crnn by default")
    parser.add_argument("--width", type=float, default=1.0, help="width of FCN-4; 1 by default")
    parser.add_argument("--batch", type=int, default=32, help="clips per step; 32 by default")
    chosen = parser.parse_args()
    if chosen.model == "crnn" and chosen.width != 1:
        parser.error("the CRNN has no width")
    measure_all(Setting(chosen.model, chosen.width, chosen.batch, chosen.threads))


def measure_all(setting: Setting) -> None:
    context = get_context("spawn")
    rows = [name for name in ROWS if setting.model == "crnn" or not name.startswith("PyTorch")]
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in rows}
    memory = dict.fromkeys(rows, 0.0)
    for _ in range(ROUNDS):
        for name in rows:
            here, there = context.Pipe()
            process = context.Process(target=take_steps, args=(name, setting, there))
            process.start()
            there.close()  # so that the end of the process ends the wait for it
            try:
                seconds, peak = here.recv()
            except EOFError:
                print(f"{name}: ended without a result", file=sys.stderr, flush=True)
                continue
            finally:
                process.join()
            taken[name] += seconds
            memory[name] = max(memory[name], peak)
    fastest = {name: np.min(steps, axis=0) for name, steps in taken.items() if steps}
    print_table(fastest, memory, setting)


def print_table(fastest: dict[str, np.ndarray], memory: dict[str, float], setting: Setting) -> None:
    """Print seconds and ratios, also of CPU seconds, which other work changes less.

    Each row is compared with stock Keras in the same precision.
    """
    floor, clips = fastest.get(FLOOR), setting.batch
    heads = (
        "s",
        "CPU s",
        "clips/s",
        "of stock Keras",
        "by CPU s",
        "of the convolutions",
        "peak GB",
    )
    print(f"| batch of {clips} clips | {' | '.join(heads)} |")
    print("| --- |" + " ---: |" * len(heads))
    for name, times in fastest.items():
        stock = fastest.get(stock_row(name))
        of_stock = ("-", "-") if stock is None else [f"{ratio:.2f}" for ratio in stock / times]
        compared = floor is not None and "scoring" not in name
        of_floor = f"{(floor / times)[0]:.2f}" if compared else "-"
        print(
            f"| {name} | {times[0]:.2f} | {times[1]:.2f} | {clips / times[0]:.1f} "
            f"| {of_stock[0]} | {of_stock[1]} | {of_floor} | {memory[name]:.1f} |"
        )


if __name__ == "__main__":
    main()
