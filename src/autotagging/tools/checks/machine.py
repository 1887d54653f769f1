"""Processor and memory."""

import platform
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

from autotagging.common.counting import counted
from autotagging.tools._machine import cores, cpu_info, processor
from autotagging.tools.checks import Check
from autotagging.training.settings import BFLOAT16_FLAGS

_MEMORY_INFO = Path("/proc/meminfo")
_FLAGS = r"^(?:flags|Features)\s*: (.*)"  # x86_64 and ARM
_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)


def check_processor() -> Check:
    """Name the processor, its cores, and whether it computes in bfloat16."""
    listed = re.search(_FLAGS, cpu_info(), re.MULTILINE)
    flags = {*listed[1].split()} if listed else set()
    found = f"{processor()}, {counted(cores(), 'core')}"
    if not flags:
        return Check("processor", f"{found}; its features are not known")
    if platform.machine() == "x86_64" and "avx" not in flags:
        return Check(
            "processor", f"{found}, without AVX", "use a processor with AVX, which TensorFlow needs"
        )
    if flags.intersection(BFLOAT16_FLAGS):
        return Check("processor", f"{found}, bf16: train.precision mixed_bfloat16 is fast")
    return Check("processor", f"{found}, no bf16: train.precision float32 is the fastest")


def check_memory(params: dict[str, Any]) -> Check:
    """Compare the memory with what a training on the CPU takes, and leave it out for tables."""
    limits = []
    with suppress(OSError):
        kilobytes = re.search(r"^MemTotal: +(\d+)", _MEMORY_INFO.read_text(encoding="utf-8"))
        limits += [int(kilobytes[1]) * 1024] if kilobytes else []
    for path in _LIMITS:
        with suppress(OSError, ValueError):  # "max" is no number
            limits.append(int(path.read_text(encoding="utf-8")))
    if not limits:
        return Check("memory", "not known")
    found = min(limits) / 1e9
    train = params["train"]
    needed = 0.13 * train["batch_size"] + train["cache"]
    if params["models"] == ["lookup"] or found >= needed:
        return Check("memory", f"{found:.1f} GB")
    text = f"{found:.1f} GB; a training on the CPU takes about {needed:.1f}"
    return Check("memory", text, "a smaller train.batch_size or train.cache in params.yaml")
