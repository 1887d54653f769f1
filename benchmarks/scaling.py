"""Cost of each step that reads tables, for a corpus many times as large as MagnaTagATune.

Usage: python benchmarks/scaling.py TABLES OUT --clips 1000000, from the top of the repository.
TABLES is a folder with the two official tables; OUT takes 6 GB, 2.6 of them for spectrograms.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
import zipfile
import zlib
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from autotagging.common.files import sha256
from autotagging.corpus.paths import ANNOTATIONS, ARCHIVE, CLIP_INFO
from autotagging.corpus.tables import find_table

IDS_APART = 100_000  # above the largest clip_id of MagnaTagATune
SCHEMES = ("random", "folder", "track", "album", "artist")
CLIP_SHAPE = (96, 1366)
WRITTEN_CLIPS = 10_000  # in the one shard that is stored in full
OPEN_ARCHIVE = """
import sys
from pathlib import Path
from autotagging.corpus.audio import open_corpus
print(len(open_corpus(Path(sys.argv[1])).sizes()), "clips", file=sys.stderr)
"""
GATHER = """
import os, sys
from pathlib import Path
import numpy as np
from autotagging.dataset.store import MelStore
summary = Path(sys.argv[1])
for shard in summary.parent.glob("*.npy"):  # drop from the page cache what was just written
    with shard.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
store = MelStore(summary)
clip_ids = np.random.default_rng(0).permutation(store.clip_ids.to_numpy())
for first in range(0, 32 * int(sys.argv[2]), 32):
    store.gather(clip_ids[first : first + 32])
"""

Step = tuple[str, list[str | Path], list[Path]]  # label, command, outputs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tables", type=Path, help="folder with the two official tables")
    parser.add_argument("out", type=Path, help="folder for the corpus and the results")
    parser.add_argument("--clips", type=int, default=1_000_000, help="number of clips")
    parser.add_argument("--shards", type=int, default=100, help="number of shards")
    parser.add_argument("--steps", nargs="+", help="only steps whose names begin with one of these")
    arguments = parser.parse_args()
    corpus, results = arguments.out / "corpus", arguments.out / "results"
    if not corpus.is_dir():
        # In a process of its own, so that its memory doesn't count as that of the steps.
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            pool.submit(make_corpus, arguments.tables, corpus, arguments.clips).result()
            pool.submit(make_shards, corpus, results / "extract_mel", arguments.shards).result()
            pool.submit(make_written_shard, results / "written").result()
    params = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))
    print("| step | clips | wall s | CPU s | peak MB | MB written |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |", flush=True)
    for name, command, outputs in steps(corpus, results, params):
        if arguments.steps and not name.startswith(tuple(arguments.steps)):
            continue
        wall, cpu, peak = measure(command)
        written = sum(path.stat().st_size for path in outputs) / 1e6
        print(
            f"| {name} | {arguments.clips} | {wall:.1f} | {cpu:.1f} | {peak:.0f} | {written:.1f} |",
            flush=True,
        )


def make_corpus(tables: Path, folder: Path, clips: int) -> None:
    """Repeat the official tables, each time with other ids, paths, artists, albums and urls."""
    partial = folder.with_name("partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    annotations, info = (
        pd.read_csv(find_table(tables, name), sep="\t", dtype=str, na_filter=False)
        for name in (ANNOTATIONS, CLIP_INFO)
    )
    repeats = -(-clips // len(annotations))
    with zipfile.ZipFile(partial / ARCHIVE, "w") as archive:
        for repeat in range(repeats):
            some = renamed(annotations, repeat).head(clips - repeat * len(annotations))
            append(some, partial / ANNOTATIONS)
            append(renamed(info, repeat), partial / CLIP_INFO)
            for path in some["mp3_path"]:
                archive.writestr(zipfile.ZipInfo(path), b"mp3")
    partial.rename(folder)


def renamed(table: pd.DataFrame, repeat: int) -> pd.DataFrame:
    ids = table["clip_id"].astype(int) + repeat * IDS_APART
    paths = table["mp3_path"].str.replace(".mp3", f".{repeat}.mp3", regex=False)
    groups = {
        name: table[name] + f" {repeat}" for name in ("artist", "album", "url") if name in table
    }
    return table.assign(clip_id=ids.astype(str), mp3_path=paths, **groups)


def append(table: pd.DataFrame, path: Path) -> None:
    table.to_csv(
        path, sep="\t", index=False, header=not path.exists(), mode="a", quoting=1,
        lineterminator="\r\n",
    )  # fmt: skip


def make_shards(corpus: Path, folder: Path, shards: int) -> None:
    """Write tables of shards, and full-size spectrograms as sparse files."""
    annotations = pd.read_csv(corpus / ANNOTATIONS, sep="\t", usecols=["clip_id"])
    blocks = np.array_split(annotations["clip_id"].to_numpy(), shards)
    names = [f"shard-{number:02}" for number in range(shards)]
    for name, clip_ids in zip(names, blocks, strict=True):
        make_shard(folder / name, clip_ids)
    write_summary(folder, names)


def make_written_shard(folder: Path) -> None:
    """Write one shard that is no sparse file: only then does reading it use the disk."""
    rng = np.random.default_rng(0)
    spectrograms = make_shard(folder / "shard-00", np.arange(WRITTEN_CLIPS))
    spectrogram = rng.random(CLIP_SHAPE).astype(np.float16)
    spectrograms[:] = spectrogram
    spectrograms.flush()
    table = pd.read_csv(folder / "shard-00.csv").assign(crc32=zlib.crc32(spectrogram))
    table.to_csv(folder / "shard-00.csv", index=False)
    write_summary(folder, ["shard-00"])


def write_summary(folder: Path, names: list[str]) -> None:
    summary = pd.DataFrame({"shard": names})
    summary["table_sha256"] = [sha256(folder / f"{name}.csv") for name in names]
    summary.to_csv(folder / "summary.csv", index=False)


def make_shard(path: Path, clip_ids: np.ndarray) -> np.memmap:
    path.parent.mkdir(parents=True, exist_ok=True)
    table = {"clip_id": clip_ids, "row": range(len(clip_ids)), "seconds": 29.124, "status": "ok"}
    table["crc32"] = zlib.crc32(np.zeros(CLIP_SHAPE, np.float16))
    pd.DataFrame(table).to_csv(path.with_suffix(".csv"), index=False)
    return np.lib.format.open_memmap(
        path.with_suffix(".npy"), "w+", np.float16, (len(clip_ids), *CLIP_SHAPE)
    )


def steps(corpus: Path, results: Path, params: dict) -> Iterator[Step]:
    """Yield the steps in an order in which they can run."""
    yield download(corpus, results)
    yield merge_tags(results, params)
    for scheme in reversed(SCHEMES):  # so that the paper's, the first, is left for training
        yield split(results, scheme, params["split"])
    pseudo_count = params["train"]["lookup"]["pseudo_count"]
    yield train(results, pseudo_count)
    yield evaluate(results, pseudo_count)
    yield "open the archive", [sys.executable, "-c", OPEN_ARCHIVE, corpus], []
    holes, written = (results / name / "summary.csv" for name in ("extract_mel", "written"))
    yield "open the shards", [sys.executable, "-c", GATHER, holes, "0"], []
    yield "gather 100 x 32 clips", [sys.executable, "-c", GATHER, written, "100"], []


def download(corpus: Path, results: Path) -> Step:
    settings = {
        "--corpus": corpus,
        "--remote": "workflow/resources/magnatagatune.yaml",
        "--demo-clips": 1,
        "--demo-seed": 0,
        "--threads": 1,
    }
    outputs = {
        "--annotations": results / "annotations_final.csv",
        "--clip-info": results / "clip_info_final.csv",
        "--clips": results / "clips.csv",
        "--groups": results / "groups.csv",
        "--audio": results / "audio.json",
        "--versions": results / "versions.json",
        "--checksums": results / "SHA256SUMS",
    }
    return "download", autotagging("download", settings, outputs), [*outputs.values()]


def merge_tags(results: Path, params: dict) -> Step:
    settings = {
        "--annotations": results / "annotations_final.csv",
        "--vocabulary": "workflow/resources/tags.yaml",
        "--synonyms": "merge",
        "--n-tags": params["merge_tags"]["n_tags"],
    }
    outputs = {
        "--labels": results / "labels.csv",
        "--other-labels": results / "other_labels.csv",
        "--tags": results / "tags.csv",
        "--raw-tags": results / "raw_tags.csv",
        "--tag-settings": results / "tag_settings.json",
        "--versions": results / "versions.json",
        "--checksums": results / "SHA256SUMS",
    }
    return "merge_tags", autotagging("merge_tags", settings, outputs), [*outputs.values()]


def split(results: Path, scheme: str, params: dict) -> Step:
    settings = {
        "--labels": results / "labels.csv",
        "--clips": results / "clips.csv",
        "--groups": results / "groups.csv",
        "--scheme": scheme,
        "--file": "none",
        "--untagged": "keep",
        "--train": params["train"],
        "--validation": params["validation"],
        "--test": params["test"],
        "--seed": params["seed"],
    }
    outputs = {
        "--split": results / "split.csv",
        "--leakage": results / "leakage.csv",
        "--split-settings": results / "split_settings.json",
        "--versions": results / "versions.json",
        "--checksums": results / "SHA256SUMS",
    }
    return f"split, {scheme}", autotagging("split", settings, outputs), [*outputs.values()]


def train(results: Path, pseudo_count: float) -> Step:
    settings = {
        "--model": "lookup",
        "--options": f"pseudo_count={pseudo_count}",
        "--seed": 0,
        "--labels": results / "labels.csv",
        "--tag-settings": results / "tag_settings.json",
        "--split": results / "split.csv",
        "--split-settings": results / "split_settings.json",
        "--groups": results / "groups.csv",
        "--audio": results / "audio.json",
    }
    of_networks = {  # required of every model; `lookup` ignores them
        "--batch-size": 32,
        "--epochs": 1,
        "--learning-rate": 0.001,
        "--schedule": "constant",
        "--output-bias": "prior",
        "--monitor": "val_loss",
        "--patience": "none",
        "--keep-epochs": "last",
        "--precision": "float32",
        "--threads": 1,
        "--devices": "auto",
        "--xla": "false",
        "--cache": 0,
        "--checkpoint-minutes": 10,
        "--unfinished": results / "unfinished",
    }
    outputs = {
        "--weights": results / "weights.npz",
        "--model-json": results / "model.json",
        "--epoch-weights": results / "epochs.npz",
        "--history": results / "history.csv",
        "--times": results / "times.csv",
        "--versions": results / "versions.json",
        "--checksums": results / "SHA256SUMS",
    }
    command = autotagging("train", settings, of_networks, outputs)
    return "train, lookup", command, [*outputs.values()]


def evaluate(results: Path, pseudo_count: float) -> Step:
    settings = {
        "--model-json": results / "model.json",
        "--labels": results / "labels.csv",
        "--tags": results / "tags.csv",
        "--split": results / "split.csv",
        "--groups": results / "groups.csv",
        "--pseudo-count": pseudo_count,
        "--threshold": 0.5,
        "--precision-at": 5,
        "--calibration-bins": 10,
        "--resamples": 1000,
        "--confidence": 0.95,
        "--bootstrap-seed": 0,
        "--batch-size": 32,
        "--threads": 1,
    }
    outputs = {
        "--predictions": results / "predictions.npz",
        "--metrics": results / "metrics.json",
        "--per-tag": results / "per_tag.csv",
        "--per-category": results / "per_category.csv",
        "--per-epoch": results / "per_epoch.csv",
        "--roc": results / "roc.csv",
        "--calibration": results / "calibration.csv",
        "--versions": results / "versions.json",
        "--checksums": results / "SHA256SUMS",
    }
    return "evaluate, lookup", autotagging("evaluate", settings, outputs), [*outputs.values()]


def autotagging(name: str, *flags: dict[str, object]) -> list[str | Path]:
    """Give the command line of a step."""
    pairs = [pair for some in flags for pair in some.items()]
    return ["autotagging", name, *(f"{flag}={value}" for flag, value in pairs)]


def measure(command: list[str | Path]) -> tuple[float, float, float]:
    """Wall time and CPU time in seconds, and largest resident set in MB of a command."""
    start = time.monotonic()
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - start
    if status:
        raise SystemExit(f"failed: {' '.join(map(str, command))}")
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6


if __name__ == "__main__":
    main()
