"""Memory of `autotagging tag`: over a library of short songs, and for one file of two hours.

Usage: python benchmarks/tagging_memory.py BUNDLE [--songs 10000] [--hours 2] [--workers 2]

BUNDLE is a folder that `autotagging export` has written. The songs are one clip of the demo corpus
(31 s) under many names, the long file is the clip repeated. Resident memory of each process of the
command is read from /proc, so this needs Linux.
"""

import argparse
import io
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

from autotagging.demo.catalogue import catalogue
from autotagging.demo.corpus import make_clip
from autotagging.tools._machine import cores

PAUSE = 0.2  # seconds between looks


def resident(pid: int) -> dict[int, float]:
    """Give the resident MB of a process and of all its descendants, largest first."""
    found, waiting = {}, [pid]
    while waiting:
        process = Path("/proc", str(waiting.pop()))
        try:
            status = process.joinpath("status").read_text(encoding="utf-8")
            children = process.joinpath("task", process.name, "children").read_text(
                encoding="utf-8"
            )
        except OSError:  # it has ended
            continue
        sizes = [line.split() for line in status.splitlines() if line.startswith("VmRSS")]
        if sizes:
            found[int(process.name)] = int(sizes[0][1]) * 1024 / 1e6
        waiting += map(int, children.split())
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def watch(bundle: Path, songs: Path, workers: int) -> tuple[list[tuple[int, list[float]]], float]:
    """Tag songs; give (songs done, MB of each process) at each look, and the largest sum of MB."""
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder, "songs.jsonl")
        flags = ["--model", bundle, "--json", results, "--workers", workers]
        process = subprocess.Popen(
            [sys.executable, "-c", "from autotagging.cli import main; main()", "tag"]
            + [str(each) for each in (songs, *flags)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        looks, done, seen = [], 0, 0
        while process.poll() is None:
            time.sleep(PAUSE)
            if results.exists():
                with results.open("rb") as lines:
                    lines.seek(seen)
                    new = lines.read()
                seen, done = seen + len(new), done + new.count(b"\n")
            looks.append((done, [*resident(process.pid).values()]))
        if process.returncode:
            sys.exit(f"tag ended with {process.returncode}")
    return looks, max(sum(sizes) for _, sizes in looks)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundle", type=Path, help="folder that `autotagging export` has written")
    parser.add_argument("--songs", type=int, default=10_000)
    parser.add_argument("--hours", type=float, default=2.0, help="length of the long file")
    parser.add_argument("--workers", type=int, default=cores(), help="processes of the command")
    options = parser.parse_args()
    audio, _ = make_clip(catalogue(20, seed=0)[0], seed=0)
    with tempfile.TemporaryDirectory() as folder:
        clip, library = Path(folder, "clip.mp3"), Path(folder, "songs")
        clip.write_bytes(audio)
        library.mkdir()
        for number in range(options.songs):
            (library / f"{number}.mp3").symlink_to(clip)
        looks, _ = watch(options.bundle, library, options.workers)
        early = next(sizes for done, sizes in looks if done >= min(20, options.songs // 2))
        late = [sizes for done, sizes in looks if done < options.songs][-1]
        print(f"{options.songs} songs, {options.workers} workers: MB of each process")
        print(f"  at the beginning: {', '.join(f'{size:.0f}' for size in early)}")
        print(f"  at the end:       {', '.join(f'{size:.0f}' for size in late)}")
        samples, _ = soundfile.read(io.BytesIO(audio), dtype="float32")
        for suffix in ("mp3", "flac"):
            long = Path(folder, f"long.{suffix}")
            with soundfile.SoundFile(long, "w", 44_100, 2) as file:
                stereo = np.stack([samples, samples], axis=1)
                for _ in range(int(options.hours * 3600 * 44_100 / len(samples))):
                    file.write(stereo)
            _, peak = watch(options.bundle, long, options.workers)
            print(f"{options.hours:g} hours of {suffix.upper()}: {peak:.0f} MB, all processes")


if __name__ == "__main__":
    main()
