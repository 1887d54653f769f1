"""What TensorFlow finds, as JSON on standard output.

It is a process of its own, because loading TensorFlow may end the process.
"""

import ctypes
import json
import re
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

# Names under which TensorFlow 2.21 opens them.
LIBRARIES = (
    "libcuda.so.1",
    "libcudart.so.12",
    "libcublas.so.12",
    "libcublasLt.so.12",
    "libcufft.so.11",
    "libcusolver.so.11",
    "libcusparse.so.12",
    "libcudnn.so.9",
    "libnccl.so.2",
    "libcupti.so.12",
)


def main() -> None:
    """Print the report."""
    print(json.dumps(report()))


def report() -> dict[str, Any]:
    """Load TensorFlow and report its version, its GPUs, and the libraries for them.

    Returns
    -------
    report
        version; cuda, whether it is built for CUDA; built, for which versions; gpus, their compute
        capabilities as texts; names, theirs; fault, why no GPU computes; libraries, see there;
        loaded, versions of those that were loaded.
    """
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    details = [tf.config.experimental.get_device_details(gpu) for gpu in gpus]
    fault = ""
    if gpus:
        try:
            tf.matmul(tf.ones((8, 8)), tf.ones((8, 8))).numpy()  # loads what is loaded late
        except (tf.errors.OpError, RuntimeError) as error:
            fault = " ".join(str(error).split())
    return {
        "version": tf.__version__,
        "cuda": tf.test.is_built_with_cuda(),
        "built": {name: str(value) for name, value in tf.sysconfig.get_build_info().items()},
        "gpus": [".".join(map(str, each.get("compute_capability", "?"))) for each in details],
        "names": [each.get("device_name", "unknown") for each in details],
        "fault": fault,
        "libraries": libraries(),
        "loaded": loaded_versions(),
    }


def libraries() -> dict[str, str]:
    """Open each library that TensorFlow opens: the file it is, or why it can't be opened."""
    opened = {}
    nvidia = find_spec("nvidia")
    folders = [Path(folder) for folder in nvidia.submodule_search_locations] if nvidia else []
    for name in LIBRARIES:
        try:
            ctypes.CDLL(name)
        except OSError as error:
            mapped = _mapped(name)
            packed = any(path for folder in folders for path in folder.glob(f"*/lib/{name}"))
            found = f"{mapped[0]}, by TensorFlow" if mapped else packed and "in NVIDIA's package"
            opened[name] = found or f"not found: {error}"
        else:
            opened[name] = ", ".join(_mapped(name)) or "found"
    return opened


def _mapped(name: str) -> list[str]:
    """Name the files of a library that this process has loaded, without their folders."""
    stem = name.split(".so")[0]
    with suppress(OSError):
        maps = Path("/proc/self/maps").read_text(encoding="utf-8")
        return sorted(set(re.findall(rf"/({stem}\.so[.\d]*)", maps)))
    return []


def loaded_versions() -> list[str]:
    """Ask CUDA's driver, its runtime and cuDNN for their versions."""
    found = []
    number = ctypes.c_int()
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libcudart.so.12").cudaDriverGetVersion(ctypes.byref(number))
        found.append(f"driver for CUDA {number.value // 1000}.{number.value % 1000 // 10}")
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libcudart.so.12").cudaRuntimeGetVersion(ctypes.byref(number))
        found.append(f"runtime {number.value // 1000}.{number.value % 1000 // 10}")
    with suppress(OSError, AttributeError):
        cudnn = ctypes.CDLL("libcudnn.so.9").cudnnGetVersion()
        found.append(f"cuDNN {cudnn // 10000}.{cudnn % 10000 // 100}.{cudnn % 100}")
    return found


if __name__ == "__main__":
    main()
