"""The rows that are measured, the most important ones first: time may not be enough for all."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

_BEFORE_RESUMING = ("whole", "again", "stop")


@dataclass(frozen=True)
class Row:
    """One row, measured in a process of its own.

    Attributes
    ----------
    kind
        What is measured: a key of `worker.KINDS`.
    options
        Its arguments.
    stage
        Rows of one stage, one after another, may be prepared side by side.
    expected_seconds
        Time it is expected to take on a GPU; it is left out where less is left.
    """

    kind: str
    options: dict[str, Any] = field(default_factory=dict)
    stage: str = ""
    expected_seconds: float = 20.0

    @property
    def framework(self) -> Literal["tensorflow", "torch"]:
        """Tell what the process imports."""
        return "torch" if self.kind.startswith("torch") else "tensorflow"

    @property
    def prepares(self) -> bool:
        """Tell whether the process says when it is prepared to be timed."""
        return self.kind not in ("training", "run", "gradients")

    @property
    def key(self) -> str:
        """Name the row."""
        said = (
            f"{name}={value}" if isinstance(value, bool | tuple) else str(value)
            for name, value in self.options.items()
        )
        return ", ".join([self.kind, *said])


def project(
    precision: str,
    *,
    path: str = "project",
    xla: bool = True,
    deterministic: bool = True,
    batches: Sequence[int] = (32,),
) -> Row:
    """Make the row of the project's own step."""
    options = {"precision": precision, "path": path, "xla": xla, "deterministic": deterministic}
    return Row("project step", options | {"batches": batches}, stage=f"steps, {precision}")


def keras(precision: str, *, xla: bool = False, batches: Sequence[int] = (32,)) -> Row:
    """Make the row of stock Keras."""
    options = {"precision": precision, "xla": xla, "batches": batches}
    return Row("keras step", options, stage=f"steps, {precision}")


def torch(
    precision: str,
    *,
    compiled: bool = True,
    channels_last: bool = True,
    cuda_graphs: bool = False,
    batches: Sequence[int] = (32,),
) -> Row:
    """Make the row of PyTorch."""
    options = {"precision": precision, "compiled": compiled, "channels_last": channels_last}
    options |= {"cuda_graphs": True} if cuda_graphs else {}
    return Row("torch step", options | {"batches": batches}, stage=f"steps, {precision}")


def steps(precision: str) -> list[Row]:
    """List the rows that time a step in one precision."""
    sizes = (32, 128)
    return [
        project(precision, batches=sizes),
        keras(precision, batches=sizes),
        torch(precision, batches=sizes),
        project(precision, xla=False),
        project(precision, path="layers"),
        project(precision, deterministic=False),
        torch(precision, compiled=False),
        Row("profile", {"precision": precision}, stage=f"steps, {precision}"),
    ]


def all_rows() -> list[Row]:
    """List all rows in the order in which they are measured."""
    untimed = {"stage": "exactness", "expected_seconds": 40.0}
    return [
        Row("machine"),
        *steps("mixed_bfloat16"),
        Row("scoring", {"precision": "mixed_bfloat16"}, stage="steps, mixed_bfloat16"),
        Row("training", {"precision": "mixed_bfloat16", "long": True}, expected_seconds=40.0),
        *steps("tf32"),
        Row("scoring", {"precision": "tf32"}, stage="steps, tf32"),
        Row("gradients", **untimed),
        *(Row("run", {"precision": "tf32", "mode": mode}, **untimed) for mode in _BEFORE_RESUMING),
        *(
            Row("training", {"precision": precision, "long": False}, **untimed)
            for precision in ("float32", "tf32")
        ),
        Row("run", {"precision": "tf32", "mode": "resume"}),
        *(
            row
            for precision in ("float32", "mixed_float16")
            for row in (project(precision), keras(precision), torch(precision))
        ),
        torch("mixed_bfloat16", cuda_graphs=True),
        keras("mixed_bfloat16", xla=True),
        *(make("mixed_bfloat16", batches=(512,)) for make in (project, keras, torch)),
    ]


def tiny_rows() -> list[Row]:
    """List the rows of a trial on a CPU: one of each kind, and what belongs together."""
    sizes = (2, 3)
    return [
        Row("machine"),
        project("float32", batches=sizes),
        keras("float32", batches=sizes),
        torch("float32", compiled=False, batches=sizes),
        Row("training", {"precision": "float32", "long": True}),
        Row("gradients"),
        *(Row("run", {"precision": "float32", "mode": mode}) for mode in ("whole", "stop")),
        Row("run", {"precision": "float32", "mode": "resume"}),
        Row("scoring", {"precision": "float32"}),
    ]
