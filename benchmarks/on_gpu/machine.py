"""What a machine has, CUDA's libraries that TensorFlow finds, and how fast the GPU is at most."""

import os
import platform
import subprocess
import time
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import tensorflow as tf

from autotagging.tools._machine import processor
from autotagging.tools.checks.tensorflow_report import libraries, loaded_versions
from on_gpu.sizes import MEL_BINS, Size

_REPEATS = 10


def describe() -> dict[str, Any]:
    """Say what is there: GPU, driver, libraries, versions."""
    gpus = tf.config.list_physical_devices("GPU")
    built = tf.sysconfig.get_build_info()
    if gpus:
        tf.matmul(tf.ones((8, 8)), tf.ones((8, 8))).numpy()  # loads what is loaded late
    return {
        "GPU": _nvidia_smi("name,memory.total"),
        "driver": _nvidia_smi("driver_version"),
        "GPUs that TensorFlow sees": len(gpus),
        "compute capability": _capability(gpus),
        "TensorFlow is built for": f"CUDA {built.get('cuda_version')}, "
        f"cuDNN {built.get('cudnn_version')}",
        "CUDA and cuDNN found": ", ".join(loaded_versions()) or "none",
        **{f"library {name}": found for name, found in libraries().items()},
        "versions": ", ".join(_versions()),
        "processor": f"{processor()}, {os.cpu_count()} cores",
    }


def _nvidia_smi(fields: str) -> str:
    command = ["nvidia-smi", f"--query-gpu={fields}", "--format=csv,noheader"]
    try:
        return subprocess.run(
            command, capture_output=True, text=True, check=True, encoding="utf-8"
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "not known: no nvidia-smi"


def _capability(gpus: list) -> str:
    if not gpus:
        return "none"
    details = tf.config.experimental.get_device_details(gpus[0])
    return ".".join(map(str, details.get("compute_capability", ("not known",))))


def _versions() -> Iterator[str]:
    yield f"Python {platform.python_version()}"
    for name in ("tensorflow", "keras", "numpy", "torch"):
        try:
            yield f"{name} {version(name)}"
        except PackageNotFoundError:
            yield f"no {name}"


def limits(size: Size) -> dict[str, Any]:
    """Measure what a step can't exceed.

    Returns
    -------
    limits
        "bandwidth": bytes a second, read and written, of a sum with 1. "rates": operations a second
        of a matrix product, by precision. "to GPU": bytes a second of spectrograms from the host.
    """
    numbers = tf.random.normal((size.copied,))
    add = tf.function(lambda: numbers + 1.0)
    bandwidth = 8 * size.copied / _seconds(add)
    rates = {}
    for precision, dtype in (
        ("float32", tf.float32),
        ("tf32", tf.float32),
        ("mixed_bfloat16", tf.bfloat16),
        ("mixed_float16", tf.float16),
    ):
        tf.config.experimental.enable_tensor_float_32_execution(precision == "tf32")
        matrix = tf.cast(tf.random.normal((size.matrix, size.matrix)), dtype)
        rates[precision] = 2 * size.matrix**3 / _seconds(_product(matrix))
    mel = np.ones((max(size.batches), MEL_BINS, size.frames), np.float16)
    to_gpu = mel.nbytes / _seconds(lambda: tf.identity(tf.convert_to_tensor(mel)))
    return {"bandwidth": bandwidth, "rates": rates, "to GPU": to_gpu}


def _product(matrix: tf.Tensor) -> Callable:
    return tf.function(lambda: tf.matmul(matrix, matrix))


def _seconds(compute: Callable) -> float:
    """Time a computation, as one of several after another; the last one is waited for."""
    for _ in range(2):
        _wait(compute())
    started = time.perf_counter()
    for _ in range(_REPEATS):
        result = compute()
    _wait(result)
    return (time.perf_counter() - started) / _REPEATS


def _wait(result: tf.Tensor) -> None:
    tf.reshape(result, [-1])[0].numpy()
