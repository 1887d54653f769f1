"""What follows from the measurements: ratios, hours, agreement."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from on_gpu.floor import floor_seconds
from on_gpu.sizes import BATCH_OF_THE_PAPER, CLIPS_OF_THE_PAPER, EPOCHS_OF_THE_PAPER, Size

_TENTHS = 10


def of_kind(results: list[dict], *kinds: str) -> Iterator[dict]:
    """Go through the results of some kinds that have measurements."""
    return (result for result in results if result["kind"] in kinds and result["measurements"])


def merged(results: list[dict], kind: str | None = None) -> dict[str, Any]:
    """Put all measurements of a kind into one dictionary."""
    chosen = of_kind(results, kind) if kind else results
    return {name: m[name] for result in chosen for m in result["measurements"] for name in m}


def steps(results: list[dict], size: Size) -> list[dict]:
    """List the measured steps, with ratios to stock Keras, PyTorch and the floor."""
    limits = merged(results, "machine").get("limits")
    found = _of_steps(results, "median_s")
    speeds = {(row["name"], row["precision"], row["batch"]): row["clips_per_s"] for row in found}
    for row in found:
        same = (row["precision"], row["batch"])
        keras = speeds.get(("stock Keras", *same))
        torch = speeds.get(("PyTorch, compiled, channels last", *same))
        row["of_keras"] = keras and row["clips_per_s"] / keras
        row["of_torch"] = torch and row["clips_per_s"] / torch
        row["of_floor"] = limits and row["median_s"] / _floor(row, size, limits)
    return sorted(found, key=lambda row: (row["batch"], row["precision"], -row["clips_per_s"]))


def copied_steps(results: list[dict]) -> list[dict]:
    """List the measured steps whose spectrograms are on the GPU."""
    return sorted(
        _of_steps(results, "copied_s"), key=lambda row: (row["precision"], row["copied_s"])
    )


def _of_steps(results: list[dict], measure: str) -> list[dict]:
    return [
        {**measured, "name": _name(result), "precision": result["options"]["precision"]}
        for result in of_kind(results, "project step", "keras step", "torch step")
        for measured in result["measurements"]
        if measure in measured
    ]


def _floor(row: dict, size: Size, limits: dict) -> float:
    return floor_seconds(
        size,
        row["precision"],
        row["batch"],
        rates=limits["rates"],
        bandwidth=limits["bandwidth"],
    )["floor"]


def _name(result: dict) -> str:
    """Name a step in a table."""
    options = result["options"]
    parts = {
        "project step": [
            "this",
            *([] if options.get("path") == "project" else [options.get("path")]),
            *([] if options.get("xla") else ["without XLA"]),
            *([] if options.get("deterministic") else ["not deterministic"]),
        ],
        "keras step": ["stock Keras", *(["XLA"] if options.get("xla") else [])],
        "torch step": [
            "PyTorch",
            "compiled" if options.get("compiled") else "eager",
            *(["channels last"] if options.get("channels_last") else []),
            *(["CUDA graphs"] if options.get("cuda_graphs") else []),
        ],
    }[result["kind"]]
    return ", ".join(parts)


def whole_training(results: list[dict]) -> Iterator[dict]:
    """Give the minutes that the paper's training takes, by precision, of the project's own step."""
    clips = EPOCHS_OF_THE_PAPER * CLIPS_OF_THE_PAPER
    trainings = {
        result["options"]["precision"]: merged([result]) for result in of_kind(results, "training")
    }
    for result in of_kind(results, "project step"):
        options, measured = result["options"], result["measurements"][0]
        as_it_is = options["path"] == "project" and options["deterministic"] and options["xla"]
        if not as_it_is or measured.get("batch") != BATCH_OF_THE_PAPER:
            continue
        training = trainings.get(options["precision"], {})
        long_times, history = training.get("long_times"), training.get("history")
        rate = long_times and training["long_clips"] / long_times[-1]["seconds"]
        yield {
            "precision": options["precision"],
            "minutes": clips / measured["clips_per_s"] / 60,
            "long_minutes": rate and clips / rate / 60,
            "val_auc": history and history[-1]["val_auc"],
        }


def curve(training: dict, size: Size) -> tuple:
    """Sum a training up.

    Returns
    -------
    first, last, clips_per_s, waiting, long_waiting, means
        Losses at the beginning and the end; clips a second of the last epoch, with validation;
        shares of waiting in percent, None where there is none; losses by tenths.
    """
    losses = training["losses"]
    parts = np.array_split(losses, min(_TENTHS, len(losses)))
    means = [float(part.mean()) for part in parts]
    times, long_times = training.get("times"), training.get("long_times")
    return (
        means[0],
        means[-1],
        times and (size.clips + size.validation) / times[-1]["seconds"],
        times and 100 * times[-1]["waiting"] / times[-1]["seconds"],
        long_times and 100 * long_times[-1]["waiting"] / long_times[-1]["seconds"],
        means,
    )


def difference(means: Sequence[float], others: Sequence[float]) -> float:
    """Give the largest difference between two curves."""
    return max(abs(one - other) for one, other in zip(means, others, strict=True))


def agreement(results: list[dict]) -> dict[str, str | None]:
    """Compare the bytes that trainings left: "yes", "no", or None where one is not there."""
    digests = {
        result["options"]["mode"]: merged([result]).get("digest")
        for result in of_kind(results, "run")
    }

    def agree(mode: str) -> str | None:
        whole, other = digests.get("whole"), digests.get(mode)
        return None if not (whole and other) else "yes" if whole == other else "no"

    return {"of one seed": agree("again"), "one of them stopped and resumed": agree("resume")}
