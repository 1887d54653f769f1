"""Speed, memory and exactness of the CRNN's training on a GPU, with Keras, PyTorch and the floor.

Usage: python benchmarks/gpu.py [--out FILE] [--tiny] [--seconds S] [--go-on] [--only KIND ...]
                                [--torch-python PYTHON] [--reference]

It needs the package, but no results of the pipeline: clips are simulated. Each row has a process of
its own; a row that fails, or for which no time is left, is listed with its reason. Tables are
printed last, all numbers are in FILE. --tiny is a trial that runs on a CPU. --reference trains once
on the CPU and stores the losses that those of a GPU are compared with.
"""

import argparse
import json
import os
import platform
import sys
from pathlib import Path

from on_gpu import rows, runner, tables
from on_gpu.sizes import size_of

REFERENCE = Path(__file__).parent / "on_gpu" / "reference.json"


def main() -> None:
    args = parse()
    size = "tiny" if args.tiny else "full"
    chosen = rows.tiny_rows() if args.tiny else rows.all_rows()
    if args.reference:
        os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
        options = {"precision": "float32", "long": False}
        chosen = [rows.Row("training", options, expected_seconds=args.seconds / 3.0)]
    if args.only:
        chosen = [row for row in chosen if any(row.key.startswith(kind) for kind in args.only)]
    known = (
        json.loads(args.out.read_text(encoding="utf-8"))["rows"]
        if args.go_on and args.out.exists()
        else []
    )
    results = runner.measure_all(
        chosen,
        size,
        seconds=args.seconds,
        together=args.together,
        out=args.out,
        interpreters={"tensorflow": sys.executable, "torch": args.torch_python},
        known=known,
    )
    if args.reference:
        store_reference(results[0])
        return
    stored = (
        json.loads(REFERENCE.read_text(encoding="utf-8"))
        if REFERENCE.exists() and not args.tiny
        else None
    )
    tables.print_all(results, size_of(size), stored)


def store_reference(result: dict) -> None:
    """Store losses and history of a training on the CPU, with the processor and versions."""
    from importlib.metadata import version

    from autotagging.tools._machine import processor

    if result["status"] != "done":
        sys.exit(result["reason"])
    (measured,) = result["measurements"]
    versions = {name: version(name) for name in ("tensorflow", "keras", "numpy")}
    made_by = {"processor": processor(), "python": platform.python_version(), **versions}
    losses = [round(loss, 6) for loss in measured["losses"]]
    stored = {"made_by": made_by, "history": measured["history"], "losses": losses}
    REFERENCE.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--out", type=Path, default=Path("gpu.json"), help="output: all numbers, as JSON"
    )
    parser.add_argument("--tiny", action="store_true", help="toy sizes, for a trial on a CPU")
    parser.add_argument(
        "--seconds", type=float, default=360.0, help="time limit for all rows together"
    )
    parser.add_argument(
        "--together",
        type=int,
        default=1,
        help="rows prepared side by side; each needs up to 20 GB of the GPU's memory",
    )
    parser.add_argument("--go-on", action="store_true", help="keep the rows that are in FILE")
    parser.add_argument(
        "--only", nargs="+", metavar="KIND", help="only rows whose names begin with one of these"
    )
    parser.add_argument("--torch-python", default=sys.executable, help="Python that has PyTorch")
    parser.add_argument("--reference", action="store_true", help="train on the CPU and store it")
    return parser.parse_args()


if __name__ == "__main__":
    main()
