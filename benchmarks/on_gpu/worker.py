"""The process that measures one row: imports its framework, waits to be told the row, measures.

Usage: python -m on_gpu.worker tensorflow|torch, with the task as a line of JSON on standard input:
kind, options, size, folder (for shards and checkpoints) and out (a file that gets a line of JSON
for each measurement as soon as it is made).
"""

import importlib
import json
import os
import statistics
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from on_gpu import data
from on_gpu.sizes import Size, size_of

THREADS = os.cpu_count() or 1
PREPARED: dict[str, Any] = {"prepared": True}
"""What a row yields before it times anything: it is told when nothing else is running."""
_PROFILED = 3  # steps
_AHEAD = 2  # steps begun before the result of one is fetched, where steps are in flight
Measurements = Iterator[dict[str, Any]]


def time_steps(step: Callable, size: Size, memory: Any, clips: Sequence[int]) -> Measurements:
    """Time a step at each batch size: seconds of the first, median and fastest, peak bytes.

    Parameters
    ----------
    step
        Function of a batch and its number, that waits for the result.
    size
        Of the spectrograms.
    memory
        Has reset_peak() and peak().
    clips
        Batch sizes.
    """
    first, failed = {}, {}
    for batch_size in clips:
        batch, started = data.batch(batch_size, size.frames), time.perf_counter()
        try:
            step(*batch)
        except Exception as error:  # out of memory, an operation that is not there
            failed[batch_size] = {"batch": batch_size, "error": brief(error)}
        first[batch_size] = time.perf_counter() - started
    yield PREPARED
    for batch_size in clips:
        if batch_size in failed:
            yield failed[batch_size]
            continue
        batch = data.batch(batch_size, size.frames)
        memory.reset_peak()
        seconds = []
        for _ in range(size.warm_up + size.steps):
            started = time.perf_counter()
            step(*batch)
            seconds.append(time.perf_counter() - started)
        median = statistics.median(seconds[-size.steps :])
        yield {
            "batch": batch_size,
            "first_s": first[batch_size],
            "median_s": median,
            "fastest_s": min(seconds[-size.steps :]),
            "clips_per_s": batch_size / median,
            "peak_bytes": memory.peak(),
        }


def brief(error: Exception) -> str:
    """Give the kind of an error and the beginning of its message."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:300]


class TensorFlowMemory:
    """Peak memory of TensorFlow's first GPU."""

    def reset_peak(self) -> None:
        """Forget it."""
        import tensorflow as tf

        if tf.config.list_physical_devices("GPU"):
            tf.config.experimental.reset_memory_stats("GPU:0")

    def peak(self) -> int | None:
        """Give it in bytes; None without a GPU."""
        import tensorflow as tf

        if not tf.config.list_physical_devices("GPU"):
            return None
        return tf.config.experimental.get_memory_info("GPU:0")["peak"]


def measure_machine(size: Size, folder: Path) -> Measurements:
    from on_gpu import machine

    yield {"machine": machine.describe()}
    yield PREPARED
    yield {"limits": machine.limits(size)}


def measure_project_step(
    size: Size,
    folder: Path,
    *,
    precision: str,
    path: str,
    xla: bool,
    deterministic: bool,
    batches: Sequence[int] | None = None,
) -> Measurements:
    from on_gpu import project

    devices = project.prepare(precision, threads=THREADS, deterministic=deterministic, xla=xla)
    step = project.make_step(size, precision, devices=devices, path=path)

    def wait(loss: Any, scores: Any) -> None:  # as the project's training does
        float(loss)
        scores.numpy()

    clips = batches or size.batches
    yield from time_steps(lambda *batch: wait(*step(*batch)), size, TensorFlowMemory(), clips)
    batch = tuple(map(project.tf.constant, data.batch(clips[0], size.frames)))
    for ahead in (0, _AHEAD):
        yield from _time_copied(step, wait, size, batch, ahead=ahead)


def _time_copied(
    step: Callable, wait: Callable, size: Size, batch: tuple, *, ahead: int
) -> Measurements:
    """Time steps whose spectrograms are on the GPU, some steps ahead of the result waited for."""
    in_flight, seconds = deque(), []
    for _ in range(size.warm_up + size.steps):
        started = time.perf_counter()
        in_flight.append(step(*batch))
        if len(in_flight) > ahead:
            wait(*in_flight.popleft())
        seconds.append(time.perf_counter() - started)
    yield {"ahead": ahead, "copied_s": statistics.median(seconds[-size.steps :])}


def measure_keras_step(
    size: Size, folder: Path, *, precision: str, xla: bool, batches: Sequence[int] | None = None
) -> Measurements:
    from on_gpu import stock

    step = stock.make_step(size, precision, xla=xla)

    def take_step(mel: Any, labels: Any) -> None:
        float(step(mel, labels))

    yield from time_steps(take_step, size, TensorFlowMemory(), batches or size.batches)


def measure_torch_step(
    size: Size,
    folder: Path,
    *,
    precision: str,
    compiled: bool,
    channels_last: bool,
    cuda_graphs: bool = False,
    batches: Sequence[int] | None = None,
) -> Measurements:
    from on_gpu import torch_network

    step = torch_network.make_step(
        size, precision, compiled=compiled, channels_last=channels_last, cuda_graphs=cuda_graphs
    )
    clips = batches or size.batches
    yield from time_steps(lambda *batch: float(step(*batch)), size, torch_network, clips)
    batch = tuple(map(torch_network.on_device, data.batch(clips[0], size.frames)))
    for ahead in (0, _AHEAD):
        yield from _time_copied(lambda *b: (step(*b),), float, size, batch, ahead=ahead)


def measure_profile(size: Size, folder: Path, *, precision: str) -> Measurements:
    """List the kernels of a step, which NVIDIA's CUPTI reports; PyTorch's profiler reads it."""
    from on_gpu import project

    devices = project.prepare(precision, threads=THREADS)
    step = project.make_step(size, precision, devices=devices)
    batch = tuple(map(project.tf.constant, data.batch(size.batches[0], size.frames)))

    def take_steps() -> None:
        for _ in range(_PROFILED):
            step(*batch)[1].numpy()

    take_steps()
    from torch import profiler

    yield PREPARED
    take_steps()
    with profiler.profile(activities=[profiler.ProfilerActivity.CUDA]) as found:
        take_steps()
    kernels = [
        {
            "kernel": event.key,
            "calls": event.count / _PROFILED,
            "ms": event.self_device_time_total / 1e3 / _PROFILED,
        }
        for event in found.key_averages()
    ]
    yield {"kernels": sorted(kernels, key=lambda kernel: -kernel["ms"])}


def measure_scoring(size: Size, folder: Path, *, precision: str) -> Measurements:
    import numpy as np

    from on_gpu import project

    project.prepare(precision, threads=THREADS)
    mel, _ = data.batch(max(size.batches), size.frames)
    clips = np.arange(size.scored)

    def gather(ids: np.ndarray) -> np.ndarray:
        return mel[ids % len(mel)]

    batches = (size.batches[0], size.batches[-1])
    scorers = [project.make_scorer(size, precision) for _ in batches]
    for batch, score in zip(batches, scorers, strict=True):
        score(clips[:batch], gather, batch_size=batch)
    yield PREPARED
    for batch, score in zip(batches, scorers, strict=True):
        started = time.perf_counter()
        score(clips, gather, batch_size=batch)
        yield {"batch": batch, "clips_per_s": len(clips) / (time.perf_counter() - started)}


def measure_training(size: Size, folder: Path, *, precision: str, long: bool) -> Measurements:
    """Train as the CPU did for the comparison, then epochs as long as the paper's, for waiting."""
    from on_gpu import project

    devices = project.prepare(precision, threads=THREADS)
    common = {"devices": devices, "folder": folder}
    result = project.train(size, precision, epochs=size.epochs, **common)
    yield {"losses": result.losses, "history": result.history, "times": result.times}
    if long:
        result = project.train(size, precision, epochs=2, clips=size.long_clips, **common)
        yield {"long_clips": size.long_clips, "long_times": result.times}


def measure_run(size: Size, folder: Path, *, precision: str, mode: str) -> Measurements:
    """Train one epoch; "stop" stops it in the middle, "resume" goes on from there."""
    from on_gpu import project

    devices = project.prepare(precision, threads=THREADS)
    stopping = {"stop": -(-size.clips // size.batch) // 2}.get(mode)
    saved = folder / ("stopped" if mode in ("stop", "resume") else mode)
    try:
        result = project.train(
            size,
            precision,
            devices=devices,
            folder=folder,
            epochs=1,
            checkpoints=saved,
            checkpoint_minutes=0.0 if mode == "stop" else 10.0,
            stop_after=stopping,
        )
    except project.Stopped:
        yield {"stopped_after": stopping}
    else:
        yield {"digest": result.digest, "steps": len(result.losses)}


def measure_gradients(size: Size, folder: Path) -> Measurements:
    from on_gpu import exactness, project

    devices = project.prepare("float32", threads=THREADS)
    on_gpu = bool(project.tf.config.list_physical_devices("GPU"))
    yield from exactness.compare(size, devices, on_gpu=on_gpu)


KINDS: dict[str, Callable[..., Measurements]] = {
    "machine": measure_machine,
    "project step": measure_project_step,
    "keras step": measure_keras_step,
    "torch step": measure_torch_step,
    "scoring": measure_scoring,
    "profile": measure_profile,
    "training": measure_training,
    "run": measure_run,
    "gradients": measure_gradients,
}
MODULES = {"tensorflow": "on_gpu.project", "torch": "on_gpu.torch_network"}


def main(framework: str) -> None:
    failure = None
    try:
        importlib.import_module(MODULES[framework])
    except Exception as error:
        failure = brief(error)
    task = json.loads(sys.stdin.readline() or "null")
    if task is None:
        return  # not needed after all
    with Path(task["out"]).open("a", encoding="utf-8") as out:

        def emit(measurement: dict) -> None:
            print(json.dumps(measurement), file=out, flush=True)

        if failure:
            emit({"error": failure})
            return
        try:
            measure = KINDS[task["kind"]]
            for measurement in measure(
                size_of(task["size"]), Path(task["folder"]), **task["options"]
            ):
                emit(measurement)
                if measurement is PREPARED:
                    sys.stdin.readline()
        except Exception as error:
            emit({"error": brief(error)})
            raise


if __name__ == "__main__":
    main(sys.argv[1])
