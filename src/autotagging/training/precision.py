"""Precision of the convolutions: float32, or 16 bits on hardware that supports them natively.

Weights, statistics and sums are float32 in any case. Imports TensorFlow; import it inside
functions.
"""

import sys
from pathlib import Path

from autotagging.common.errors import UserError
from autotagging.common.progress import native_log_hidden
from autotagging.training.settings import BFLOAT16_FLAGS, PrecisionChoice

with native_log_hidden():
    import tensorflow as tf

_CPU_INFO = Path("/proc/cpuinfo")


def choose_precision(choice: PrecisionChoice) -> str:
    """Choose Keras' dtype policy of the convolutions for the available devices.

    Parameters
    ----------
    choice
        "auto": mixed_bfloat16 on a CPU with AVX512_BF16 or AMX, or a GPU of compute capability 8.0
        or higher; mixed_float16 on a GPU of 7.0 or higher; else float32.

    Raises
    ------
    UserError
        The choice is mixed_float16, and there is no GPU.
    """
    gpus = tf.config.get_visible_devices("GPU")
    if choice == "mixed_float16" and not gpus:
        raise UserError(
            "precision mixed_float16 is for GPUs, and TensorFlow sees none; set train.precision to "
            "auto"
        )
    if gpus:
        capability = min(_capability(gpu) for gpu in gpus)
        fast = {"mixed_bfloat16": capability >= (8, 0), "mixed_float16": capability >= (7, 0)}
    else:
        fast = {"mixed_bfloat16": _cpu_has_bfloat16()}
    if choice == "auto":
        return next((policy for policy, good in fast.items() if good), "float32")
    if not fast.get(choice, True):
        print(f"precision {choice}: slow, without native hardware support", file=sys.stderr)
    return choice


def _capability(gpu: tf.config.PhysicalDevice) -> tuple[int, int]:
    return tf.config.experimental.get_device_details(gpu).get("compute_capability", (0, 0))


def _cpu_has_bfloat16() -> bool:
    """Tell from the CPU flags that Linux lists; False on other systems."""
    try:
        text = _CPU_INFO.read_text(encoding="utf-8")
    except OSError:
        return False
    return not {*BFLOAT16_FLAGS}.isdisjoint(text.split())
