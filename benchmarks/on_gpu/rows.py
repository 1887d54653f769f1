"""The rows that are measured, the most important ones first: time may not be enough for all."""

from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Row:
    """One row, measured in a process of its own.

    Attributes
    ----------
    kind
        What is measured: a key of `worker.KINDS`.
    options
        Its arguments.
    expected_seconds
        Time it is expected to take on a GPU; it is left out where less is left.
    """

    kind: str
    options: dict[str, Any] = field(default_factory=dict)
    expected_seconds: float = 12.0

    @property
    def framework(self) -> Literal["tensorflow", "torch"]:
        """Tell what the process imports."""
        return "torch" if self.kind.startswith("torch") else "tensorflow"

    @property
    def key(self) -> str:
        """Name the row."""
        said = (
            f"{name}={value}" if isinstance(value, bool) else str(value)
            for name, value in self.options.items()
        )
        return ", ".join([self.kind, *said])


def project(
    precision: str, *, path: str = "project", xla: bool = False, deterministic: bool = True
) -> Row:
    """Make the row of the project's own step."""
    options = {"precision": precision, "path": path, "xla": xla, "deterministic": deterministic}
    return Row(
        "project step",
        options,
        expected_seconds=25.0 if xla or path.startswith(("fused", "whole")) else 12.0,
    )


def keras(precision: str, *, xla: bool = False) -> Row:
    """Make the row of stock Keras."""
    return Row(
        "keras step", {"precision": precision, "xla": xla}, expected_seconds=25.0 if xla else 12.0
    )


def torch(precision: str, *, compiled: bool = False, channels_last: bool = False) -> Row:
    """Make the row of PyTorch."""
    options = {"precision": precision, "compiled": compiled, "channels_last": channels_last}
    return Row("torch step", options, expected_seconds=25.0 if compiled else 8.0)


def all_rows() -> list[Row]:
    """List all rows in the order in which they are measured."""
    main = ("tf32", "mixed_bfloat16")
    return [
        Row("machine", expected_seconds=10.0),
        *(
            row
            for precision in main
            for row in (
                project(precision),
                keras(precision),
                torch(precision, compiled=True, channels_last=True),
            )
        ),
        Row("training", {"precision": "float32", "long": False}, expected_seconds=15.0),
        Row("training", {"precision": "mixed_bfloat16", "long": True}, expected_seconds=25.0),
        Row("training", {"precision": "tf32", "long": False}, expected_seconds=15.0),
        Row("gradients", expected_seconds=20.0),
        *(Row("run", {"precision": "tf32", "mode": mode}) for mode in ("whole", "stop")),
        *(Row("run", {"precision": "tf32", "mode": mode}) for mode in ("resume", "again")),
        Row("scoring", {"precision": "mixed_bfloat16"}),
        Row("scoring", {"precision": "tf32"}),
        project("float32"),
        keras("float32"),
        *(project(precision, path="fused") for precision in main),
        *(project(precision, path="fused whole step") for precision in main),
        *(project(precision, path="batch on the GPU") for precision in main),
        *(project(precision, deterministic=False) for precision in main),
        *(project(precision, xla=True) for precision in main),
        *(project(precision, path="whole step", deterministic=False) for precision in main),
        project("mixed_float16"),
        keras("mixed_float16"),
        *(torch(precision, channels_last=True) for precision in (*main, "float32")),
        *(keras(precision, xla=True) for precision in main),
        torch("float32", compiled=True, channels_last=True),
        *(torch(precision) for precision in (*main, "float32")),
        *(torch(precision, compiled=True) for precision in (*main, "float32")),
        *(project(precision, xla=True) for precision in ("float32", "mixed_float16")),
        *(keras(precision, xla=True) for precision in ("float32", "mixed_float16")),
        *(
            project(precision, path="whole step", deterministic=False)
            for precision in ("float32", "mixed_float16")
        ),
        project("mixed_float16", path="fused"),
    ]


def tiny_rows() -> list[Row]:
    """List the rows of a trial on a CPU: one of each kind, and what belongs together."""
    return [
        Row("machine"),
        project("float32"),
        keras("float32"),
        torch("float32", channels_last=True),
        Row("training", {"precision": "float32", "long": True}),
        Row("gradients"),
        *(Row("run", {"precision": "float32", "mode": mode}) for mode in ("whole", "stop")),
        Row("run", {"precision": "float32", "mode": "resume"}),
        Row("scoring", {"precision": "float32"}),
    ]
