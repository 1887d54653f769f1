"""Speed and memory of training steps and scoring of the CRNN, compared with Keras and PyTorch.

Usage: python benchmarks/train.py [THREADS], from the top of the repository.

Each row has processes of its own, one after another in two rounds, because memory does not suffice
for all at once; all use the same batch of 32. Stock Keras is a model of Keras layers, trained by
`train_on_batch` and used by `predict_on_batch`. The floor is the four convolutions alone, with
their gradients (without that of the first one's input), by TensorFlow's operations. PyTorch is
measured if it is installed, on the CPU; the pipeline does not need it. The other rows use a GPU if
TensorFlow finds one.
"""

import argparse
import os
import resource
import sys
import time
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import yaml
from on_gpu.sizes import FULL, MEL_BINS, TAGS

BATCH, FRAMES, FILTERS = 32, FULL.frames, (64, 128, 128, 128)
# Height, width and channels of each convolution's input.
INPUTS = ((96, 1440, 1), (48, 720, 64), (16, 240, 128), (4, 60, 128))
ROUNDS, WARM_UP, STEPS = 2, 2, 4

Step = Callable[[], object]


def batch() -> tuple[np.ndarray, np.ndarray]:
    """Spectrograms in dB, and labels of the same density as those of MagnaTagATune."""
    rng = np.random.default_rng(0)
    mel = rng.normal(-30, 15, (BATCH, MEL_BINS, FRAMES)).astype(np.float32)
    return mel, (rng.random((BATCH, TAGS)) < 0.054).astype(np.float32)


def ours(threads: int, precision: str = "float32") -> Step:
    network = build(threads, precision)
    import keras

    from autotagging.training.step import make_train_step

    optimizer = keras.optimizers.Adam(0.001)
    optimizer.build(network.trainable_variables)
    step = make_train_step(network, optimizer)
    mel, labels = batch()
    return lambda: float(step(mel, labels)[0])


def ours_in_bfloat16(threads: int) -> Step:
    return ours(threads, "mixed_bfloat16")


def ours_scoring(threads: int, precision: str = "float32") -> Step:
    network = build(threads, precision)
    from autotagging.training.step import make_scorer

    score, mel = make_scorer(network), batch()[0]
    return lambda: score(np.arange(BATCH), lambda clips: mel[clips], batch_size=BATCH)


def ours_scoring_in_bfloat16(threads: int) -> Step:
    return ours_scoring(threads, "mixed_bfloat16")


def build(threads: int, precision: str):
    from autotagging import models
    from autotagging.training.devices import prepare

    prepare(seed=0, threads=threads)
    options = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))["train"]["crnn"]
    shape = (MEL_BINS, FRAMES)
    network = models.build("crnn", input_shape=shape, n_tags=TAGS, precision=precision, **options)
    return network


def stock_keras(threads: int) -> Step:
    model = build_stock(threads)
    mel, labels = batch()
    return lambda: model.train_on_batch(mel, labels)


def stock_keras_scoring(threads: int) -> Step:
    model, mel = build_stock(threads), batch()[0]
    return lambda: model.predict_on_batch(mel)


def build_stock(threads: int):
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    import keras
    from on_gpu import stock

    model = stock.build(FULL)
    model.compile(keras.optimizers.Adam(0.001), "binary_crossentropy")
    return model


def convolutions(threads: int) -> Step:
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    layers = []
    for (height, width, channels), filters in zip(INPUTS, FILTERS, strict=True):
        layers.append(
            (
                tf.random.normal((BATCH, height, width, channels)),
                tf.random.normal((3, 3, channels, filters), stddev=0.05),
                tf.random.normal((BATCH, height, width, filters)),
            )
        )

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


def pytorch(threads: int) -> Step:
    import torch
    from on_gpu.torch_network import CRNN

    torch.set_num_threads(threads)
    model = CRNN(FULL)
    optimizer = torch.optim.Adam(model.parameters(), 0.001)
    mel, labels = map(torch.from_numpy, batch())

    def step() -> float:
        optimizer.zero_grad()
        loss = torch.nn.functional.binary_cross_entropy_with_logits(model(mel), labels)
        loss.backward()
        optimizer.step()
        return float(loss)

    return step


def pytorch_compiled(threads: int) -> Step:
    import torch

    step = pytorch(threads)
    return torch.compile(step)


TRAINING = {
    "stock Keras": stock_keras,
    "this, float32": ours,
    "this, mixed_bfloat16": ours_in_bfloat16,
    "the convolutions alone": convolutions,
    "PyTorch eager": pytorch,
    "PyTorch compiled": pytorch_compiled,
}
SCORING = {
    "stock Keras, scoring": stock_keras_scoring,
    "this, scoring, float32": ours_scoring,
    "this, scoring, mixed_bfloat16": ours_scoring_in_bfloat16,
}
ROWS = TRAINING | SCORING


def take_steps(name: str, threads: int, results: Connection) -> None:
    """Take some steps; send the seconds of each, and the peak memory in GB."""
    os.environ["OMP_NUM_THREADS"] = str(threads)
    seconds = []
    try:
        step = ROWS[name](threads)
        for number in range(WARM_UP + STEPS):
            started = time.perf_counter()
            step()
            if number >= WARM_UP:
                seconds.append(time.perf_counter() - started)
    except Exception as error:
        print(f"{name} is left out: {error}"[:300], file=sys.stderr)
    results.send((seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "threads", type=int, nargs="?", default=os.cpu_count(), help="CPU threads; all by default"
    )
    measure_all(parser.parse_args().threads)


def measure_all(threads: int) -> None:
    context = get_context("spawn")
    taken: dict[str, list[float]] = {name: [] for name in ROWS}
    memory = dict.fromkeys(ROWS, 0.0)
    for _ in range(ROUNDS):
        for name in ROWS:
            here, there = context.Pipe()
            process = context.Process(target=take_steps, args=(name, threads, there))
            process.start()
            seconds, peak = here.recv()
            process.join()
            taken[name] += seconds
            memory[name] = max(memory[name], peak)
    fastest = {name: min(seconds) for name, seconds in taken.items() if seconds}
    floor = fastest["the convolutions alone"]
    print("| batch of 32 clips | s | clips/s | of stock Keras | of the convolutions | peak GB |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for name, seconds in fastest.items():
        stock = fastest["stock Keras" if name in TRAINING else "stock Keras, scoring"]
        of_floor = f"{floor / seconds:.2f}" if name in TRAINING else "-"
        print(
            f"| {name} | {seconds:.2f} | {BATCH / seconds:.1f} | {stock / seconds:.2f} "
            f"| {of_floor} | {memory[name]:.1f} |"
        )


if __name__ == "__main__":
    main()
