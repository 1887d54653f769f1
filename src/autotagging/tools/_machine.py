"""The machine that a command runs on: its processor and the cores that may be used."""

import os
import platform
import re
from contextlib import suppress
from pathlib import Path

_CPU_INFO = Path("/proc/cpuinfo")


def cores() -> int:
    """Count the cores that this process may use; all where the system does not tell."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS
        return os.cpu_count() or 1


def processor() -> str:
    """Name the processor."""
    names = re.findall(r"^model name\s*: (.+)$", cpu_info(), re.MULTILINE)
    return names[0].strip() if names else platform.processor() or platform.machine()


def cpu_info() -> str:
    """Read what Linux says about the processor; "" on other systems."""
    with suppress(OSError):
        return _CPU_INFO.read_text(encoding="utf-8")
    return ""
