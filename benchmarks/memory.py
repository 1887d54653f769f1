"""Peak memory of the models on features at the paper's size: 19,773 training clips.

Usage: python benchmarks/memory.py [MODEL ...] [--frames N], from the top of the repository.

Each model is trained by its step with its section of params.yaml, so with whole samples, on
synthetic spectrograms of which the shards repeat the same 198; networks and RBMs have few epochs,
which changes no size. Peak memory is that of the process, TensorFlow and libraries included.
"""

import argparse
import json
import os
import tempfile
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from models import CLIPS, RESULTS, command, run, settings_of, train_flags

from autotagging import models
from autotagging.common.files import sha256
from autotagging.common.params import options_of

SUBSETS = ("train", "validation")
PER_SHARD = 198
TAGS, OTHER_TAGS = 50, 138
FEW = {"rbm_epochs": 1, "pretrain_epochs": 1}
ON_FEATURES = [name for name in models.MODELS if models.reads(name) == "features"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", metavar="MODEL", help="default: all on features")
    parser.add_argument("--frames", type=int, default=1366, help="of a clip; default: 1366 (29 s)")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="default: all")
    args = parser.parse_args()
    params = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))
    print(
        "| model | sample, GB | peak, GB | less the sample, GB | minutes |\n| --- |" + " ---: |" * 4
    )
    with tempfile.TemporaryDirectory() as folder:
        write_inputs(Path(folder) / RESULTS, args.frames)
        for name in args.models or ON_FEATURES:
            found = train(name, params, Path(folder), args.threads)
            sample, peak = sample_bytes(params["train"][name]) / 1e9, found["bytes"] / 1e9
            minutes = found["seconds"] / 60
            print(
                f"| `{name}` | {sample:.2f} | {peak:.2f} | {peak - sample:.2f} | {minutes:.1f} |",
                flush=True,
            )


def sample_bytes(section: dict) -> int:
    """Count the bytes of the sample that the fit of a model holds."""
    if "n_patches" in section:
        return section["n_patches"] * 8 * 96 * 2  # float16, patches of 8 frames
    return section.get("sample_frames", 0) * 96 * section.get("n_levels", 0) * 4  # float32


def train(name: str, params: dict, folder: Path, threads: int) -> dict:
    """Train a model for two epochs; give seconds and bytes."""
    out = Path("out") / name
    (folder / out).mkdir(parents=True)
    settings = settings_of(name, params) | {"epochs": 2, "patience": None, "keep_epochs": "last"}
    section = options_of(params["train"][name])
    section |= {option: value for option, value in FEW.items() if option in section}
    flags = train_flags(name, out, settings, section, params, threads)
    return run(command("train", flags), folder=folder)


def write_inputs(results: Path, frames: int) -> None:
    """Write what the steps before a training would have written, with noise for music."""
    rng = np.random.default_rng(0)
    for step in ("download", "merge_tags", "split", "extract_mel"):
        (results / step).mkdir(parents=True)
    n_clips = sum(CLIPS[subset] for subset in SUBSETS)
    clips = pd.DataFrame({"clip_id": range(n_clips), "mp3_path": "x.mp3"})
    clips.assign(subset=np.repeat(SUBSETS, [CLIPS[subset] for subset in SUBSETS])).to_csv(
        results / "split/split.csv", index=False
    )
    for file, n_tags, share in (("labels", TAGS, 0.05), ("other_labels", OTHER_TAGS, 0.003)):
        labels = (rng.random((n_clips, n_tags)) < share).astype(int)
        columns = [f"{file} {tag}" for tag in range(n_tags)]
        table = pd.DataFrame(labels, columns=columns)
        pd.concat([clips, table], axis=1).to_csv(results / f"merge_tags/{file}.csv", index=False)
    front_end = {"sample_rate": 12_000, "n_fft": 512, "hop_length": 256, "n_mels": 96}
    front_end |= {"frames": frames, "seconds": frames * 256 / 12_000, "log_scale": "power_db"}
    for path, content in {
        "download/audio.json": {"title": "noise", "sha256": "0" * 64},
        "merge_tags/settings.json": {"synonyms": "merge"},
        "split/settings.json": {"scheme": "random"},
        "extract_mel/front_end.json": front_end,
    }.items():
        (results / path).write_text(json.dumps(content), encoding="utf-8")
    write_shards(results / "extract_mel", n_clips, frames, rng)


def write_shards(folder: Path, n_clips: int, frames: int, rng: np.random.Generator) -> None:
    """Write shards whose arrays are links to one file, and their tables."""
    mel = rng.normal(-40, 10, (PER_SHARD, 96, frames)) + rng.normal(0, 8, (PER_SHARD, 96, 1))
    mel = mel.astype(np.float16)
    np.save(folder / "shard-000.npy", mel)
    rows = {"row": range(PER_SHARD), "status": "ok", "crc32": [zlib.crc32(clip) for clip in mel]}
    listed = []
    for number in range(-(-n_clips // PER_SHARD)):
        table = folder / f"shard-{number:03}.csv"
        first = number * PER_SHARD
        clip_ids = {"clip_id": range(first, first + PER_SHARD)}
        pd.DataFrame({**clip_ids, **rows}).to_csv(table, index=False)
        if number:
            os.link(folder / "shard-000.npy", table.with_suffix(".npy"))
        listed.append({"shard": table.stem, "table_sha256": sha256(table)})
    pd.DataFrame(listed).to_csv(folder / "summary.csv", index=False)


if __name__ == "__main__":
    main()
