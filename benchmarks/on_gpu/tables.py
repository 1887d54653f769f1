"""Tables of what was measured, in Markdown."""

from collections.abc import Iterator, Sequence
from typing import Any

from on_gpu import findings
from on_gpu.sizes import Size

_PRECISIONS = {
    "float32": "float32",
    "tf32": "TF32",
    "mixed_bfloat16": "bfloat16",
    "mixed_float16": "float16",
    None: "",
}


_KERNELS = 15  # are listed


def print_all(results: list[dict], size: Size, reference: dict | None) -> None:
    """Print every table that has rows."""
    for lines in (
        machine(results),
        steps(results, size),
        copied_steps(results),
        kernels(results),
        whole_training(results),
        training(results, size, reference),
        gradients(results),
        agreement(results),
        scoring(results),
        missing(results),
    ):
        if text := "\n".join(lines):
            print(text, end="\n\n")


def table(header: Sequence[str], rows: Sequence[Sequence[Any]], note: str = "") -> Iterator[str]:
    """Write rows under a header, numbers on the right, and a note below; nothing without rows."""
    if not rows:
        return
    columns = zip(*rows, strict=True)
    numbers = [all(isinstance(value, int | float | None) for value in values) for values in columns]
    yield f"| {' | '.join(header)} |"
    yield f"| {' | '.join('---:' if number else '---' for number in numbers)} |"
    for row in rows:
        yield f"| {' | '.join(map(_cell, row))} |"
    if note:
        yield f"\n{note}"


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 100 else f"{value:,.0f}"
    return str(value)


def machine(results: list[dict]) -> Iterator[str]:
    """List what is there, and the limits that were measured."""
    found = findings.merged(results, "machine")
    rows = [*found.get("machine", {}).items()]
    limits = found.get("limits", {"rates": {}})
    if "bandwidth" in limits:
        rows.append(("copy, GB/s read and written", limits["bandwidth"] / 1e9))
        rows.append(("host to GPU, GB/s", limits["to GPU"] / 1e9))
    for precision, rate in limits["rates"].items():
        rows.append((f"matrix product in {_PRECISIONS[precision]}, TFLOP/s", rate / 1e12))
    yield from table(["machine", ""], [(name, _cell(value)) for name, value in rows])


def steps(results: list[dict], size: Size) -> Iterator[str]:
    """Compare the steps of training, with the least they can take."""
    rows = [
        (
            step["name"],
            _PRECISIONS[step["precision"]],
            step["batch"],
            step["median_s"] * 1e3,
            step["clips_per_s"],
            step["peak_bytes"] and step["peak_bytes"] / 1e9,
            step["of_keras"],
            step["of_torch"],
            step["of_floor"],
        )
        for step in findings.steps(results, size)
    ]
    measured = ["step", "precision", "batch", "ms", "clips/s", "peak GB"]
    yield from table(
        [*measured, "of stock Keras", "of PyTorch", "of the floor"],
        rows,
        "Of stock Keras and of PyTorch (compiled, channels last): times as many clips a second in\n"
        "the same precision. Of the floor: times as long as the machine's limits allow.",
    )


def copied_steps(results: list[dict]) -> Iterator[str]:
    """Print how long a step takes whose spectrograms are on the GPU."""
    rows = [
        (found["name"], _PRECISIONS[found["precision"]], found["ahead"], found["copied_s"] * 1e3)
        for found in findings.copied_steps(results)
    ]
    header = ["step, spectrograms on the GPU", "precision", "results fetched late by steps", "ms"]
    yield from table(header, rows)


def kernels(results: list[dict]) -> Iterator[str]:
    """List the kernels that take most of a step's time."""
    for result in findings.of_kind(results, "profile"):
        found = findings.merged([result])["kernels"]
        rows = [
            ("all", sum(one["calls"] for one in found), sum(one["ms"] for one in found)),
            *((one["kernel"][:80], one["calls"], one["ms"]) for one in found[:_KERNELS]),
        ]
        name = _PRECISIONS[result["options"]["precision"]]
        yield from table([f"kernel of a step in {name}", "calls", "ms"], rows)
        yield ""


def whole_training(results: list[dict]) -> Iterator[str]:
    """Say how long the paper's training takes."""
    rows = [
        (_PRECISIONS[row["precision"]], row["minutes"], row["long_minutes"], row["val_auc"])
        for row in findings.whole_training(results)
    ]
    yield from table(
        ["the paper's 100 epochs", "minutes by steps", "minutes as fed", "val_auc"],
        rows,
        "By steps: from the median of a step. As fed: from epochs fed by the input pipeline, with\n"
        "validation. val_auc is that of the made-up clips after the training below.",
    )


def training(results: list[dict], size: Size, reference: dict | None) -> Iterator[str]:
    """Compare trainings on made-up clips with the CPU's."""
    rows = []
    if reference:
        rows.append(("CPU (stored)", *findings.curve(reference, size)))
    for result in findings.of_kind(results, "training"):
        found = findings.merged([result])
        if "losses" in found:
            name = _PRECISIONS[result["options"]["precision"]]
            rows.append((name, *findings.curve(found, size)))
    header = ["training", "loss at first", "at last", "largest difference from the CPU"]
    yield from table(
        [*header, "clips/s", "waiting %", "waiting % in a long epoch"],
        [
            [*row[:3], findings.difference(row[6], rows[0][6]) if reference else None, *row[3:6]]
            for row in rows
        ],
        "Losses are means of a tenth of the steps; the difference is the largest between those\n"
        "means. Waiting is that of the last epoch, when all clips are in the host's memory.",
    )


def gradients(results: list[dict]) -> Iterator[str]:
    """Compare gradients with those in float64."""
    rows = [
        (
            _PRECISIONS[found["precision"]] + (", layers" if found["path"] == "layers" else ""),
            found["difference"],
            found["variable"],
            found["median"],
        )
        for result in findings.of_kind(results, "gradients")
        for found in result["measurements"]
        if "difference" in found
    ]
    yield from table(["gradients", "largest relative difference", "of", "median"], rows)


def agreement(results: list[dict]) -> Iterator[str]:
    """Say whether trainings agree to the byte."""
    rows = [(name, answer) for name, answer in findings.agreement(results).items() if answer]
    yield from table(["two trainings", "the same bytes"], rows)


def scoring(results: list[dict]) -> Iterator[str]:
    """Print clips a second of scoring."""
    rows = [
        (_PRECISIONS[result["options"]["precision"]], found["batch"], found["clips_per_s"])
        for result in findings.of_kind(results, "scoring")
        for found in result["measurements"]
    ]
    yield from table(["scoring", "batch", "clips/s"], rows)


def missing(results: list[dict]) -> Iterator[str]:
    """Name what failed or was left out, and why."""
    rows = [
        (result["key"], result["status"], str(result["reason"]).replace("|", "/"))
        for result in results
        if result["status"] != "done"
    ]
    yield from table(["not measured", "", "why"], rows)
