"""How exact gradients are, by precision: a batch's, against those in float64 on the CPU."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from on_gpu import data, project, stock
from on_gpu.sizes import Size

_SCALE = 2.0**15  # of the loss in float16, where the loss scale of Keras starts
_ROWS = (
    ("float32", "project"),
    ("tf32", "project"),
    ("mixed_bfloat16", "project"),
    ("mixed_float16", "project"),
    ("tf32", "layers"),
    ("mixed_bfloat16", "layers"),
)


class _Recorder:
    """Takes the place of the optimizer and keeps the gradients."""

    def __init__(self, variables: list, scale: float):
        tf = project.tf
        self.gradients = [tf.Variable(tf.zeros(variable.shape)) for variable in variables]
        self._scale = scale

    def scale_loss(self, loss: Any) -> Any:
        return loss * self._scale

    def apply(self, gradients: list, variables: list) -> None:
        for kept, gradient in zip(self.gradients, gradients, strict=True):
            kept.assign(gradient / self._scale)


def compare(size: Size, devices: Any, *, on_gpu: bool) -> Iterator[dict[str, Any]]:
    """Give the relative difference of the gradients for each precision; there is no dropout.

    Variables whose gradient is zero are left out: the biases of convolutions.

    Parameters
    ----------
    size
        Of the batch.
    devices
        From `project.prepare`.
    on_gpu
        Whether there are TF32 and float16, and a step that is not fused.
    """
    mel, labels = data.batch(size.gradient_clips, size.frames)
    without = {"pool_dropout": 0.0, "output_dropout": 0.0}
    first = project.build(size, "float32", **without)
    weights = first.get_weights()
    reference = stock.build(size, "float64", dropout=False, cudnn=False)
    reference.set_weights(weights)
    exact = stock.gradients(reference, mel, labels)
    for precision, path in _ROWS:
        if not on_gpu and (path == "layers" or precision in ("tf32", "mixed_float16")):
            continue
        project.tf.config.experimental.enable_tensor_float_32_execution(precision != "float32")
        network = project.build(size, precision, **without)
        network.set_weights(weights)
        recorder = _Recorder(
            network.trainable_variables, _SCALE if precision == "mixed_float16" else 1.0
        )
        project.step_of(network, recorder, devices=devices, path=path)(mel, labels)
        names = [variable.path for variable in network.trainable_variables]
        found = [gradient.numpy() for gradient in recorder.gradients]
        yield {"precision": precision, "path": path, **_largest(names, found, exact)}


def _largest(names: list[str], found: list, exact: list) -> dict[str, Any]:
    """Find the variable whose gradient is off most: norm of the difference by norm of the exact."""
    off = {
        name: float(np.linalg.norm(one - other) / np.linalg.norm(other))
        for name, one, other in zip(names, found, exact, strict=True)
        if not (name.startswith("conv") and name.endswith("bias")) and other.any()
    }
    worst = max(off, key=off.get)
    return {
        "difference": off[worst],
        "variable": worst,
        "median": float(np.median([*off.values()])),
    }
