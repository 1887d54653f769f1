"""TensorFlow, and the GPU: what is there, what TensorFlow finds of it, and why not."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from autotagging.tools.checks import Check
from autotagging.tools.checks.packages import install
from autotagging.training.settings import hides_gpus

_REPORT = "autotagging.tools.checks.tensorflow_report"
_DEVICES = Path("/dev")
_SECONDS = 300
_ANSWERS = 30  # seconds
_WITH_GPU = Path("requirements-gpu.lock")
_ON_CPU = "export CUDA_VISIBLE_DEVICES=-1"
# XLA compiles for GPUs of this compute capability and higher since this version of CUDA.
_BLACKWELL, _CUDA_OF_BLACKWELL = 10.0, (12, 8)
_CONTAINER = "load or install NVIDIA's driver; start a container with --gpus all or --nv"


def start_tensorflow() -> subprocess.Popen | None:
    """Start the process that loads TensorFlow; None if that is not installed."""
    if find_spec("tensorflow") is None:
        return None
    source = str(Path(__file__).parents[3])
    path = os.pathsep.join(filter(None, (source, os.environ.get("PYTHONPATH"))))
    return subprocess.Popen(
        [sys.executable, "-m", _REPORT],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        env={**os.environ, "PYTHONPATH": path, "TF_CPP_MIN_LOG_LEVEL": "0"},
    )


def check_tensorflow(process: subprocess.Popen | None) -> tuple[Check, dict[str, Any]]:
    """Wait for the process of `start_tensorflow`; also give its report, empty without one."""
    if process is None:
        return Check("tensorflow", "not installed", install()), {}
    try:
        printed, log = process.communicate(timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        return Check("tensorflow", f"not loaded within {_SECONDS} s", "nvidia-smi"), {}
    if process.returncode == 0:
        report = json.loads(printed.splitlines()[-1])
        return Check("tensorflow", f"{report['version']} can be loaded"), report | {"log": log}
    if process.returncode < 0:
        text = f"loading it ends Python by signal {-process.returncode}"
        return Check("tensorflow", text, "use a processor with AVX, or install from the lock"), {}
    last = (log.strip().splitlines() or ["no message"])[-1]
    return Check("tensorflow", f"can't be loaded: {last}", install()), {}


def check_gpu(report: Mapping[str, Any]) -> Check:
    """Name the GPU that TensorFlow uses; if it uses none that is there, say why.

    Parameters
    ----------
    report
        That of `tensorflow_report`, and its log; empty if TensorFlow was not loaded.
    """
    found, fault = nvidia_smi()
    if not found and report.get("gpus"):
        found = ", ".join(report["names"])  # as in WSL2, where nvidia-smi may not be in PATH
    if not found:
        if not fault:
            return Check("gpu", "no NVIDIA GPU; networks are trained on the CPU")
        return Check("gpu", fault, _CONTAINER)
    if not report:
        return Check("gpu", f"{found}; TensorFlow was not asked")
    if not report["gpus"]:
        if os.environ.get("CUDA_VISIBLE_DEVICES") == "-1":  # as docs and `_ON_CPU` have it
            return Check("gpu", f"{found}; not used, because CUDA_VISIBLE_DEVICES is -1")
        why, fix = _why_not(report)
        return Check("gpu", f"{found}; TensorFlow finds none: {why}", fix)
    loaded = ", ".join(report["loaded"])
    text = f"{found}, compute capability {', '.join(report['gpus'])}; {loaded}"
    if misfit := _misfit(report):
        return Check("gpu", f"{text}; TensorFlow is built for {misfit}", _ON_CPU)
    if report["fault"]:
        fix = f"nvidia-smi (is its memory in use?); to train on the CPU: {_ON_CPU}"
        return Check("gpu", f"{text}; a product of matrices fails: {report['fault']}", fix)
    return Check("gpu", text)


def _misfit(report: Mapping[str, Any]) -> str:
    """Say what TensorFlow is built for, if a GPU is too old or too new for that."""
    built, gpus = report["built"], [float(gpu) for gpu in report["gpus"] if gpu != "?"]
    oldest = min(_numbers(built.get("cuda_compute_capabilities", "")), default=0.0)
    if any(gpu < oldest for gpu in gpus):
        return f"{oldest} and higher"
    cuda = built.get("cuda_version", "")
    older = cuda and tuple(map(int, cuda.split(".")[:2])) < _CUDA_OF_BLACKWELL
    if older and any(gpu >= _BLACKWELL for gpu in gpus):
        needed = ".".join(map(str, _CUDA_OF_BLACKWELL))
        return f"CUDA {cuda}, and a GPU of {_BLACKWELL} or higher needs {needed}"
    return ""


def nvidia_smi() -> tuple[str, str]:
    """Ask NVIDIA's driver for the GPUs; give names and driver, or "" and what is wrong."""
    command = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    device = any(_DEVICES.glob("nvidia[0-9]*"))
    try:
        asked = subprocess.run(
            command, capture_output=True, encoding="utf-8", errors="replace", timeout=_ANSWERS
        )
    except OSError:
        return "", f"{_DEVICES}/nvidia0 is there, nvidia-smi is not" if device else ""
    except subprocess.TimeoutExpired:
        return "", f"nvidia-smi does not answer within {_ANSWERS} s"
    lines = asked.stdout.strip().splitlines()
    if asked.returncode or not lines:
        message = " ".join((asked.stdout or asked.stderr).split())
        return "", f"nvidia-smi: {message or 'no GPU'}"
    names = [line.split(", ")[0] for line in lines]
    return f"{', '.join(names)}, driver {lines[0].split(', ')[-1]}", ""


def _why_not(report: Mapping[str, Any]) -> tuple[str, str]:
    """Say why TensorFlow finds no GPU, and what to type."""
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
    if hides_gpus(hidden) or (hidden is not None and "CUDA_ERROR_NO_DEVICE" in report["log"]):
        text = f"CUDA_VISIBLE_DEVICES is {hidden!r}, which names none that is here"
        return text, "unset CUDA_VISIBLE_DEVICES"
    if not report["cuda"]:
        return f"{report['version']} is built without CUDA", install(_WITH_GPU)
    missing = {
        name: text for name, text in report["libraries"].items() if text.startswith("not found")
    }
    if "libcuda.so.1" in missing:
        return "libcuda.so.1, of NVIDIA's driver, can't be opened", _CONTAINER
    if missing:
        return f"{', '.join(missing)} can't be opened", install(_WITH_GPU)
    errors = [line for line in report["log"].splitlines() if re.match(r"[EW]\d|.*: [EW] ", line)]
    built = f"it is built for CUDA {report['built'].get('cuda_version', '?')}"
    last = errors[-1].split("] ")[-1] if errors else "no message"
    return f"{built}, loaded: {', '.join(report['loaded'])}; {last}", "update NVIDIA's driver"


def _numbers(capabilities: str) -> list[float]:
    """Read compute capabilities such as sm_60 or compute_90."""
    return [int(number) / 10 for number in re.findall(r"_(\d+)", capabilities)]
