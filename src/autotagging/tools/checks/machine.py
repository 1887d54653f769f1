"""Processor and memory."""

import platform
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from autotagging.common.counting import counted
from autotagging.tools._machine import cores, cpu_info, processor
from autotagging.tools.checks import Check
from autotagging.training.settings import BFLOAT16_FLAGS

_MEMORY_INFO = Path("/proc/meminfo")
_FLAGS = r"^(?:flags|Features)\s*: (.*)"  # x86_64 and ARM
_OWN_GROUPS = Path("/proc/self/cgroup")
_GROUPS = Path("/sys/fs/cgroup")


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
    for path in _limits():
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


def _limits() -> Iterator[Path]:
    """Files with the limits of this process's control group and those above it, of both versions.

    In a container, a process may see its own group as the root.
    """
    lines = []
    with suppress(OSError):
        lines = _OWN_GROUPS.read_text(encoding="utf-8", errors="replace").splitlines()
    for _, controllers, path in (line.split(":", 2) for line in lines):
        if not controllers:
            root, name = _GROUPS, "memory.max"
        elif "memory" in controllers.split(","):
            root, name = _GROUPS / "memory", "memory.limit_in_bytes"
        else:
            continue
        group = Path(path)
        yield from (root / str(each).lstrip("/") / name for each in (group, *group.parents))
