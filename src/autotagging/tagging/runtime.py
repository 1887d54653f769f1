"""ONNX Runtime, without its telemetry."""

import os
from types import ModuleType


def onnx_runtime() -> ModuleType:
    """Import ONNX Runtime so that it sends nothing.

    The official packages report their use to Microsoft by default (on Linux and macOS from 1.29);
    the environment variable has to be set before the import, and the call is for Windows.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    return onnxruntime
