"""Cost of every model at full size, measured on the demo corpus and extrapolated to the paper's.

Usage: python benchmarks/models.py [MODEL ...] [--out FILE], from the top of the repository, after
`make results`.

Every model is trained for two epochs with its section of params.yaml, by the steps themselves;
fits of features that take long get small values of the options in `FITS`, and a run with each of
them doubled gives what a unit costs. Times and peak memory are those of the processes, without the
start of TensorFlow; hours for 19,773 training and 1,521 validation clips are extrapolated: what
depends on the clips by their number, the rest by the values of params.yaml.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
import yaml

from autotagging import models
from autotagging.common.params import OWN_SETTINGS, options_of

RESULTS = Path("results")
CLIPS = {"train": 19_773, "validation": 1_521, "test": 4_566}
FITS = {
    "bof_rbm": {"rbm_epochs": (15, False), "pretrain_epochs": (20, True)},
    "multiscale": {"sample_frames": (6000, False)},
    "transfer": {"sample_frames": (6000, False), "epochs": (2, True)},
}
"""For fits of features: value of an option, and whether a unit costs more with more clips."""
COLUMNS = {
    "model": "{}",
    "parameters": "{:,}",
    "million multiply-adds a clip": "{:,.1f}",
    "features, ms a clip": "{:.1f}",
    "training, clips/s": "{:,.1f}",
    "peak GB": "{:.1f}",
    "scoring, ms a clip": "{:.1f}",
    "epochs": "{}",
    "hours (extrapolated)": "{:.1f}",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", metavar="MODEL", help="default: all")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="default: all")
    parser.add_argument("--out", type=Path, help="output: the table, as CSV")
    args = parser.parse_args()
    params = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))
    clips = pd.read_csv(RESULTS / "split/split.csv")["subset"].value_counts()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        imports = [sys.executable, "-c", "import autotagging.training.step"]
        tensorflow = run(imports)["seconds"]
        lookup = measure("lookup", params, Path(folder) / "lookup", args.threads)
        for name in args.models or models.MODELS:
            if name == "lookup":
                continue
            found = measure(name, params, Path(folder) / name, args.threads)
            rows.append(summarise(name, clips, found, lookup, tensorflow))
            print(rows[-1], file=sys.stderr, flush=True)
    table = pd.DataFrame(rows)
    if args.out:
        table.to_csv(args.out, index=False)
    print(f"| {' | '.join(COLUMNS)} |\n| --- |{' ---: |' * (len(COLUMNS) - 1)}")
    for row in rows:
        cells = (
            "-" if pd.isna(row[name]) else written.format(row[name])
            for name, written in COLUMNS.items()
        )
        print(f"| {' | '.join(cells)} |")


def measure(name: str, params: dict, out: Path, threads: int) -> dict:
    """Train and evaluate a model; give seconds and bytes of both processes, and what they wrote."""
    full = settings_of(name, params)
    fits = {option: value for option, (value, _) in FITS.get(name, {}).items()}
    first = train(name, params, out / "first", threads, fits)
    doubled = {
        option: train(name, params, out / option, threads, fits | {option: 2 * value})
        for option, value in fits.items()
    }
    evaluate = run(command("evaluate", evaluate_flags(name, out / "first", params, threads)))
    return {
        "train": first,
        "doubled": doubled,
        "evaluate": evaluate,
        "full": full | params["train"][name],
        "model": json.loads((out / "first/model.json").read_text(encoding="utf-8")),
    }


def settings_of(name: str, params: dict) -> dict:
    """Give the settings of a model's training in params.yaml."""
    common = {each: params["train"][each] for each in OWN_SETTINGS}
    return common | params["train"][name].get("training", {})


def train(name: str, params: dict, out: Path, threads: int, fits: dict) -> dict:
    """Train a model for two epochs; give seconds in epochs and before, and bytes."""
    (out / "evaluation").mkdir(parents=True)
    settings = settings_of(name, params)
    settings |= {"epochs": 2, "patience": None, "keep_epochs": "last"}
    settings |= {option: value for option, value in fits.items() if option in settings}
    section = options_of(params["train"][name])
    section |= {option: value for option, value in fits.items() if option in section}
    found = run(command("train", train_flags(name, out, settings, section, params, threads)))
    epochs = pd.read_csv(out / "times.csv")["seconds"]
    found["epoch"] = epochs.iloc[-1] if len(epochs) else math.nan
    found["before"] = found["seconds"] - epochs.sum()
    return found


def summarise(name: str, clips: pd.Series, found: dict, lookup: dict, tensorflow: float) -> dict:
    """Turn seconds into times per clip, without what the lookup takes, and TensorFlow to start."""
    read = clips["train"] + clips["validation"]
    whole = (CLIPS["train"] + CLIPS["validation"]) / read
    model, full, epoch = found["model"], found["full"], found["train"]["epoch"]
    start = {step: lookup[step]["seconds"] + tensorflow for step in ("train", "evaluate")}
    features = max(found["train"]["before"] - start["train"], 0.0)
    of_values = 0.0
    for option, (value, by_clip) in FITS.get(name, {}).items():
        unit = (found["doubled"][option]["before"] - found["train"]["before"]) / value
        features -= unit * value
        of_values += unit * full[option] * (whole if by_clip else 1.0)
    is_network = models.reads(name) == "mel"
    in_epochs = 0.0 if math.isnan(epoch) else full["epochs"] * epoch
    seconds = (0.0 if is_network else whole * features + of_values) + whole * in_epochs
    scoring = max(found["evaluate"]["seconds"] - start["evaluate"], 0.0)
    return {
        "model": name,
        "parameters": model["trainable_parameters"],
        "million multiply-adds a clip": model["multiply_adds"] / 1e6,
        "features, ms a clip": math.nan if is_network else 1e3 * features / read,
        "training, clips/s": read / epoch,
        "peak GB": found["train"]["bytes"] / 1e9,
        "scoring, ms a clip": 1e3 * scoring / (clips["test"] + clips["validation"]),
        "epochs": full["epochs"] if in_epochs else math.nan,
        "hours (extrapolated)": seconds / 3600,
    }


def command(step: str, flags: dict) -> list[str]:
    """Write a step's command line."""
    words = ["autotagging", step]
    for flag, value in flags.items():
        name = f"--{flag.replace('_', '-')}"
        if isinstance(value, bool):
            words.append(f"{name}={value}")
        else:
            words += [name, *map(str, value if isinstance(value, list) else [value])]
    return words


def run(words: list[str], *, folder: Path | None = None) -> dict:
    """Run a command in a folder; give its seconds, CPU seconds and peak of resident memory."""
    started = time.perf_counter()
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(words, stdout=log, stderr=log, cwd=folder)
        _, status, usage = os.wait4(process.pid, 0)
        if status:
            log.seek(0)
            sys.exit(log.read().decode(errors="replace"))
    seconds, cpu = time.perf_counter() - started, usage.ru_utime + usage.ru_stime
    return {"seconds": seconds, "cpu": cpu, "bytes": 1024 * usage.ru_maxrss}


def inputs(name: str) -> dict:
    """Flags of the inputs that both steps read."""
    flags = {
        "labels": RESULTS / "merge_tags/labels.csv",
        "split": RESULTS / "split/split.csv",
    }
    if models.reads_spectrograms(name):
        flags["mel"] = RESULTS / "extract_mel/summary.csv"
        flags["front_end"] = RESULTS / "extract_mel/front_end.json"
    return flags


def train_flags(
    name: str, out: Path, settings: dict, section: dict, params: dict, threads: int
) -> dict:
    flags = inputs(name) | {
        "model": name,
        "seed": 0,
        "tag_settings": RESULTS / "merge_tags/settings.json",
        "split_settings": RESULTS / "split/settings.json",
        "audio": RESULTS / "download/audio.json",
        "weights": out / "weights.npz",
        "epoch_weights": out / "epochs.npz",
        "model_json": out / "model.json",
        "history": out / "history.csv",
        "times": out / "times.csv",
        "versions": out / "versions.json",
        "checksums": out / "SHA256SUMS",
        "unfinished": out / "unfinished",
        "devices": "auto",
        "xla": False,
        "threads": threads,
        "cache": params["train"]["cache"],
        "checkpoint_minutes": 10,
        "options": [f"{option}={json.dumps(value)}" for option, value in section.items()],
        **{each: "none" if value is None else value for each, value in settings.items()},
    }
    if not models.reads_spectrograms(name):
        flags["groups"] = RESULTS / "download/groups.csv"
    if models.reads_other_labels(name):
        flags["other_labels"] = RESULTS / "merge_tags/other_labels.csv"
    return flags


def evaluate_flags(name: str, out: Path, params: dict, threads: int) -> dict:
    written = ("metrics.json", "per_tag.csv", "per_category.csv", "per_epoch.csv", "roc.csv")
    written += ("calibration.csv", "predictions.npz")
    to = out / "evaluation"
    return inputs(name) | {
        "model_json": out / "model.json",
        "tags": RESULTS / "merge_tags/tags.csv",
        "groups": RESULTS / "download/groups.csv",
        **{file.partition(".")[0]: to / file for file in written},
        "versions": to / "versions.json",
        "checksums": to / "SHA256SUMS",
        "pseudo_count": params["train"]["lookup"]["pseudo_count"],
        "threshold": 0.5,
        "precision_at": [1],
        "calibration_bins": 10,
        "resamples": 1,
        "confidence": 0.95,
        "bootstrap_seed": 0,
        "batch_size": params["evaluate"]["batch_size"],
        "threads": threads,
    }


if __name__ == "__main__":
    main()
