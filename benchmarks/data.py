"""Cost of reading the spectrograms in training: waiting and memory per epoch.

Usage: python benchmarks/data.py FOLDER, from the top of the repository. FOLDER takes 0.9 GB.

Waiting and memory are given for each of four epochs. A row has a process of its own. Spectrograms
are read as in training; a pause replaces the step, as long as a step of a fast GPU, so that there
is little time to read. The slow disk gives all readers together 100 MB/s; without it, the files are
on the local disk, and none is in the page cache at the beginning.
"""

import argparse
import os
import resource
import threading
import time
import zlib
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pandas as pd

from autotagging.common.files import sha256
from autotagging.dataset import store
from autotagging.dataset.prefetch import Waiting, prefetched

CLIP_SHAPE, BATCH, EPOCHS = (96, 1366), 32, 4
SECONDS_OF_A_STEP = 0.15
SLOW = 100e6  # bytes per second


@dataclass(frozen=True)
class Row:
    clips: int
    disk: str
    cache: float  # GB


ROWS = (
    Row(300, "local", 0.0),
    Row(3000, "local", 0.0),
    Row(3000, "local", 1.0),
    Row(3000, "slow", 0.0),
    Row(3000, "slow", 0.4),
    Row(3000, "slow", 1.0),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder for the spectrograms; takes 0.9 GB")
    folder = parser.parse_args().folder
    columns = ["waiting, %", "own memory, MB", "of files, MB", "peak, MB"]
    print(f"| clips | disk | cache, GB | {' | '.join(columns)} |")
    print("| ---: | --- | ---: |" + " ---: |" * len(columns), flush=True)
    context = get_context("spawn")
    for row in ROWS:
        summary = folder / str(row.clips) / "summary.csv"
        here, there = context.Pipe()
        for work in (write_shards, take_epochs):
            process = context.Process(target=work, args=(row, summary, there))
            process.start()
            process.join()
        there.close()  # so that a process that was killed is an error, not a wait for ever
        waiting, *memories = here.recv()[columns].to_numpy().T
        cells = [", ".join(f"{share:.1f}" for share in waiting)]
        cells += [", ".join(f"{size:.0f}" for size in sizes) for sizes in memories]
        print(f"| {row.clips:,} | {row.disk} | {row.cache:g} | {' | '.join(cells)} |", flush=True)


def write_shards(row: Row, summary: Path, results: Connection) -> None:
    """Write spectrograms in three shards, unless they exist; drop them from the page cache."""
    if not summary.exists():
        summary.parent.mkdir(parents=True)
        rng = np.random.default_rng(0)
        names = [f"shard-{number:02}" for number in range(3)]
        for name, clip_ids in zip(names, np.array_split(np.arange(row.clips), 3), strict=True):
            mel = rng.random((len(clip_ids), *CLIP_SHAPE), np.float32).astype(np.float16)
            np.save(summary.with_name(f"{name}.npy"), mel)
            table = pd.DataFrame({"clip_id": clip_ids, "row": range(len(mel)), "status": "ok"})
            table["crc32"] = [zlib.crc32(spectrogram) for spectrogram in mel]
            table.to_csv(summary.with_name(f"{name}.csv"), index=False)
        checksums = [sha256(summary.with_name(f"{name}.csv")) for name in names]
        pd.DataFrame({"shard": names, "table_sha256": checksums}).to_csv(summary, index=False)
    for shard in summary.parent.glob("*.npy"):
        with shard.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def slowed(read_into: Callable) -> Callable:
    """Delay each read of a spectrogram as on the slow disk, one read at a time."""
    disk = threading.Lock()

    def read_slowly(shard, spectrogram, row):
        with disk:
            time.sleep(spectrogram.nbytes / SLOW)
        read_into(shard, spectrogram, row)

    return read_slowly


def take_epochs(row: Row, summary: Path, results: Connection) -> None:
    if row.disk == "slow":
        store.Shard.read_into = slowed(store.Shard.read_into)
    mels = store.MelStore(summary, cache=row.cache)
    clip_ids = mels.clip_ids.to_numpy()
    measured = []
    for epoch in range(EPOCHS):
        order = np.random.default_rng(epoch).permutation(clip_ids)
        batches = [order[i : i + BATCH] for i in range(0, len(order), BATCH)]
        started, waiting = time.perf_counter(), Waiting()
        with closing(prefetched(mels.gather, batches, waiting)) as ahead:
            for _ in ahead:
                time.sleep(SECONDS_OF_A_STEP)
        seconds = time.perf_counter() - started
        measured.append({"waiting, %": 100 * waiting.seconds / seconds, **memory()})
    results.send(pd.DataFrame(measured))


def memory() -> dict[str, float]:
    """Resident memory in MB, by kind: the process's own, mapped files, and the peak."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    fields = (line.split() for line in lines if line.startswith("Rss"))
    kilobytes = {name: int(value) for name, value, _ in fields}
    return {
        "own memory, MB": kilobytes["RssAnon:"] * 1024 / 1e6,
        "of files, MB": kilobytes["RssFile:"] * 1024 / 1e6,
        "peak, MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6,
    }


if __name__ == "__main__":
    main()
