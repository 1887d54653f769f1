"""Speed of `autotagging tag`, compared with a plain loop of librosa and Keras, in one run.

Usage: python benchmarks/tagging.py BUNDLE [--songs 8] [--rounds 3] [--workers 2]

BUNDLE is a folder that `autotagging export` has written. The songs are made here from clips of the
demo corpus: 4 minutes, stereo at 44.1 kHz, MP3 of 320 kbit/s. The rows take turns, each in a
process of its own. The plain loop is timed without the start of Python and the import of its
libraries; the command as a whole, with both, and each song under many names, as a library.
"""

import argparse
import io
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import soundfile
import soxr

from autotagging.demo.catalogue import catalogue
from autotagging.demo.corpus import make_clip
from autotagging.tagging.audio import Song
from autotagging.tagging.bundle import load_tagger, read_description
from autotagging.tools._machine import cores

SECONDS, RATE = 240, 44_100
CLIPS = 9  # of a song
NAMES = 40  # of each song, for the command
LIBRARY = 22_000  # songs, of the extrapolation
PLAIN = "plain loop"
COMMANDS = {"tag": [], "tag --excerpts 3": ["--excerpts", 3], "tag --excerpts 2": ["--excerpts", 2]}
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def make_songs(folder: Path, count: int) -> list[Path]:
    """Write songs of joined clips, with different channels and a noise floor of -60 dB."""
    clips = iter(catalogue(max(CLIPS * count, 20), seed=0))
    rng = np.random.default_rng(0)
    songs = []
    for number in range(count):
        parts = [
            soundfile.read(io.BytesIO(make_clip(next(clips), seed=0)[0])) for _ in range(CLIPS)
        ]
        joined = np.concatenate([samples for samples, _ in parts])
        mono = soxr.resample(joined, parts[0][1], RATE)[: SECONDS * RATE]
        other = np.roll(mono, 40)
        stereo = np.stack([0.8 * mono + 0.1 * other, 0.8 * mono - 0.1 * other], axis=1)
        stereo += 1e-3 * rng.standard_normal(stereo.shape)
        songs.append(folder / f"{number}.mp3")
        with soundfile.SoundFile(
            songs[-1], "w", RATE, 2, "MPEG_LAYER_III", bitrate_mode="CONSTANT", compression_level=0
        ) as file:
            file.write(np.clip(stereo, -1, 1))
    return songs


def plain_loop(bundle: Path, orders: Connection) -> None:
    """Tag songs in a plain loop, in a process of its own; send wall and CPU seconds and scores."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import keras
    import librosa

    described = read_description(bundle)
    settings = described.front_end
    frames = settings["frames"]
    model = keras.saving.load_model(bundle / "model.keras")
    numbers = {name: settings[name] for name in ("n_fft", "hop_length", "n_mels")}

    def scores(song: Path) -> np.ndarray:
        waveform, rate = librosa.load(song, sr=settings["sample_rate"])
        power = librosa.feature.melspectrogram(y=waveform, sr=rate, **numbers)
        mel = librosa.power_to_db(power, ref=1.0, amin=1e-10, top_db=None)
        starts = [*range(0, mel.shape[1] - frames, frames), mel.shape[1] - frames]
        windows = np.stack([mel[:, start : start + frames] for start in starts])
        return model.predict(windows, verbose=0).mean(axis=0)

    orders.send("ready")
    while songs := orders.recv():
        scores(songs[0])
        started, used = time.perf_counter(), cpu_seconds(resource.RUSAGE_SELF)
        found = [scores(song) for song in songs]
        wall, used = time.perf_counter() - started, cpu_seconds(resource.RUSAGE_SELF) - used
        orders.send((wall, used, found))


def cpu_seconds(who: int) -> float:
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


def command(
    bundle: Path, songs: list[Path], workers: int, more: list[object]
) -> tuple[float, float, list[np.ndarray]]:
    """Tag songs with the command; return wall and CPU seconds, under one name each, and scores."""
    with tempfile.TemporaryDirectory() as folder:
        results, library = Path(folder, "songs.jsonl"), Path(folder, "songs")
        library.mkdir()
        for song in songs:
            for number in range(NAMES):
                (library / f"{song.stem}-{number}.mp3").symlink_to(song)
        flags = ["--model", bundle, "--json", results, "--workers", workers, *more]
        started, used = time.perf_counter(), cpu_seconds(resource.RUSAGE_CHILDREN)
        subprocess.run(
            [sys.executable, "-c", "from autotagging.cli import main; main()", "tag"]
            + [str(each) for each in (library, *flags)],
            check=True,
            stderr=subprocess.PIPE,
        )
        wall = time.perf_counter() - started
        used = cpu_seconds(resource.RUSAGE_CHILDREN) - used
        found = {line["path"]: line for line in map(json.loads, results.open(encoding="utf-8"))}
        firsts = [found[str(library / f"{song.stem}-0.mp3")] for song in songs]
    scores = [np.array([*first["scores"].values()]) for first in firsts]
    return wall / NAMES, used / NAMES, scores


def stages(bundle: Path, song: Path) -> dict[str, float]:
    """CPU seconds of the stages of a song, on one thread; the fastest of several turns."""
    tagger = load_tagger(bundle)
    described = tagger.description
    hop = described.window_samples

    def windows() -> list[np.ndarray]:
        stream = Song(song, sample_rate=described.sample_rate)
        return [window.samples for window in stream.windows(samples=hop, hop=hop)]

    def decode() -> tuple[np.ndarray, int]:
        return soundfile.read(song, dtype="float32")

    decoded, rate = decode()
    mono = decoded.mean(axis=1)
    cut = windows()
    spectrograms = [tagger.front_end.log_mel(samples)[None] for samples in cut]
    found = {
        "decoding (libsndfile, mpg123)": fastest(decode),
        "resampling (soxr HQ)": fastest(
            lambda: soxr.resample(mono, rate, described.sample_rate, quality="HQ")
        ),
        "decoding, mixing, resampling, cutting into windows": fastest(windows),
        "spectrograms": fastest(lambda: [tagger.front_end.log_mel(samples) for samples in cut]),
    }
    if described.windows is None:
        found[f"network ({len(cut)} windows)"] = fastest(
            lambda: [tagger.network(mel) for mel in spectrograms]
        )
    found["everything"] = fastest(lambda: [tagger.scores(samples) for samples in windows()])
    return found


def fastest(work: Callable[[], object], turns: int = 5) -> float:
    seconds = []
    for _ in range(turns):
        started = time.process_time()
        work()
        seconds.append(time.process_time() - started)
    return min(seconds)


def measure_stages(bundle: Path, song: Path, answer: Connection) -> None:
    answer.send(stages(bundle, song))


def in_process(target: Callable, *arguments: object) -> Connection:
    """Start a process; return its pipe."""
    here, there = get_context("spawn").Pipe()
    get_context("spawn").Process(target=target, args=(*arguments, there), daemon=True).start()
    there.close()  # so that a process that was killed is an error, not a wait for ever
    return here


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundle", type=Path, help="folder that `autotagging export` has written")
    parser.add_argument("--songs", type=int, default=8, help="songs of a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=cores(), help="processes of the command")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        songs = make_songs(Path(folder), options.songs)
        os.environ.update(ONE_THREAD)
        of_stages = in_process(measure_stages, options.bundle, songs[0]).recv()
        for name in ONE_THREAD:
            del os.environ[name]
        loop = in_process(plain_loop, options.bundle)
        loop.recv()
        seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in (PLAIN, *COMMANDS)}
        scores = {}
        for _ in range(options.rounds):
            loop.send(songs)
            wall, used, scores[PLAIN] = loop.recv()
            seconds[PLAIN].append((wall, used))
            for name, flags in COMMANDS.items():
                wall, used, scores[name] = command(options.bundle, songs, options.workers, flags)
                seconds[name].append((wall, used))
        loop.send(None)
    print(f"{options.songs} songs, {options.workers} processes, {cores()} cores\n")
    print("| stage of a song, on one thread | CPU s |\n| --- | ---: |")
    for name, taken in of_stages.items():
        print(f"| {name} | {taken:.3f} |")
    print(f"\n| a song | s | CPU s | songs/h | times as fast | by CPU s | {LIBRARY:,} songs |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    medians = {name: np.median(rows, axis=0) / options.songs for name, rows in seconds.items()}
    first_wall, first_used = medians[PLAIN]
    for name, (wall, used) in medians.items():
        print(
            f"| {name} | {wall:.3f} | {used:.3f} | {3600 / wall:,.0f} | {first_wall / wall:.2f} "
            f"| {first_used / used:.2f} | {LIBRARY * wall / 3600:.1f} h (extrapolated) |"
        )
    for name in COMMANDS:
        apart = np.abs(np.array(scores[name]) - np.array(scores[PLAIN]))
        print(
            f"\n{name}: scores are {apart.mean():.1g} from the loop's, at most {apart.max():.1g}."
        )


if __name__ == "__main__":
    main()
