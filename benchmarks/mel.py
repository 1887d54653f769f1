"""Speed and exactness of the front end, compared with librosa and other libraries, in one run.

Usage: OMP_NUM_THREADS=1 python benchmarks/mel.py CLIP.mp3 ...

The times of a clip are medians over rounds in which all rows take turns. Each row has a process of
its own, which keeps freed memory, and so shares no libraries, memory or threads with another.
torchaudio, nnAudio, essentia, kapre and miniaudio are measured if they are installed; the pipeline
needs none of them.
"""

import argparse
import functools
import io
import os
import shutil
import sys
import tempfile
import time
import warnings
import zipfile
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path

import librosa
import numpy as np
import soundfile
import soxr

from autotagging.common.memory import keep_freed_memory
from autotagging.corpus.audio import open_corpus
from autotagging.corpus.decoding import fit_length
from autotagging.mel import spectrogram as mel
from autotagging.mel.front_end import FrontEnd, Limits, MelSettings

RATE, N_FFT, HOP, N_MELS = 12_000, 512, 256, 96
NUMBERS = {"n_fft": N_FFT, "hop_length": HOP, "n_mels": N_MELS}
SAMPLES = 349_440
FRONT_END = FrontEnd(
    MelSettings(sample_rate=RATE, **NUMBERS, log_scale="power_db", seconds=29.12),
    Limits(tolerance=1.0, longest=60.0),
)
ROUNDS, TURNS = 12, 5
CLIPS_PER_PROCESS = 400

Mel = Callable[[Path], np.ndarray]


def decode(path: Path) -> np.ndarray:
    """Decode as soundfile does, (samples,)."""
    return soundfile.read(io.BytesIO(path.read_bytes()), dtype="float32")[0]


def waveform_of(path: Path) -> np.ndarray:
    """Input of front ends that don't decode: the clip at 12 kHz, cropped."""
    decoded, rate = soundfile.read(io.BytesIO(path.read_bytes()), dtype="float32")
    return fit_length(soxr.resample(decoded, rate, RATE, quality="HQ"), SAMPLES)


def in_librosa(path: Path) -> np.ndarray:
    waveform, _ = librosa.load(path, sr=RATE)
    power = librosa.feature.melspectrogram(y=fit_length(waveform, SAMPLES), sr=RATE, **NUMBERS)
    return librosa.power_to_db(power, ref=1.0, amin=1e-10, top_db=None)


def with_torchaudio() -> Mel:
    import torch
    import torchaudio

    torch.set_num_threads(1)
    spectrogram = torchaudio.transforms.MelSpectrogram(
        RATE, N_FFT, hop_length=HOP, n_mels=N_MELS, pad_mode="constant", norm="slaney",
        mel_scale="slaney",
    )  # fmt: skip
    decibels = torchaudio.transforms.AmplitudeToDB("power")
    resample = torchaudio.transforms.Resample(16_000, RATE)

    def make(path: Path) -> np.ndarray:
        resampled = resample(torch.from_numpy(decode(path))).numpy()
        waveform = torch.from_numpy(fit_length(resampled, SAMPLES))
        return decibels(spectrogram(waveform)).numpy()

    return make


def with_nnaudio() -> Mel:
    import torch
    from nnAudio.features import MelSpectrogram

    torch.set_num_threads(1)
    spectrogram = MelSpectrogram(
        sr=RATE, n_fft=N_FFT, hop_length=HOP, n_mels=N_MELS, pad_mode="constant", verbose=False
    )

    def make(path: Path) -> np.ndarray:
        power = spectrogram(torch.from_numpy(waveform_of(path)))[0].numpy()
        return 10 * np.log10(np.maximum(power, 1e-10))

    return make


def with_essentia() -> Mel:
    import essentia
    from essentia import standard

    essentia.log.infoActive = essentia.log.warningActive = False
    window = standard.Windowing(type="hann", normalized=False, size=N_FFT, zeroPhase=False)
    spectrum = standard.Spectrum(size=N_FFT)
    bands = standard.MelBands(
        numberBands=N_MELS, sampleRate=RATE, highFrequencyBound=RATE / 2,
        inputSize=N_FFT // 2 + 1, warpingFormula="slaneyMel", weighting="linear",
        normalize="unit_tri", type="power",
    )  # fmt: skip

    def make(path: Path) -> np.ndarray:
        loaded = standard.MonoLoader(filename=str(path), sampleRate=RATE, resampleQuality=1)()
        waveform = np.pad(fit_length(loaded, SAMPLES), N_FFT // 2)
        frames = standard.FrameGenerator(
            waveform, frameSize=N_FFT, hopSize=HOP, startFromZero=True, validFrameThresholdRatio=1
        )
        power = np.array([bands(spectrum(window(frame))) for frame in frames]).T
        return 10 * np.log10(np.maximum(power, 1e-10))

    return make


def with_kapre() -> Mel:
    import keras
    from kapre.composed import get_melspectrogram_layer

    layer = get_melspectrogram_layer(
        input_shape=(SAMPLES + N_FFT, 1), n_fft=N_FFT, hop_length=HOP, sample_rate=RATE,
        n_mels=N_MELS, mel_norm="slaney", return_decibel=True, db_amin=1e-10, db_dynamic_range=200,
    )  # fmt: skip
    model = keras.Sequential([layer])

    def make(path: Path) -> np.ndarray:
        padded = np.pad(waveform_of(path), N_FFT // 2)[None, :, None]
        return np.asarray(model(padded))[0, :, :, 0].T

    return make


def with_librosa() -> Mel:
    return in_librosa


def ours(folder: str) -> Callable[[], Mel]:
    """Front end of this project, reading the corpus in a subfolder of the working directory."""

    def prepare() -> Mel:
        corpus = open_corpus(Path(folder))
        return lambda path: FRONT_END.extract(corpus, f"0/{path.name}")[0]

    return prepare


def decoding() -> Mel:
    return decode


def decoding_by_miniaudio() -> Mel:
    import miniaudio

    return lambda path: miniaudio.mp3_read_file_f32(str(path))


def resampling() -> Mel:
    decoded = functools.cache(decode)
    return lambda path: soxr.resample(decoded(path), 16_000, RATE, quality="HQ")


def our_log_mel() -> Mel:
    waveform = functools.cache(waveform_of)
    return lambda path: mel.log_mel(waveform(path), sample_rate=RATE, **NUMBERS)


def librosas_log_mel() -> Mel:
    waveform = functools.cache(waveform_of)
    return lambda path: librosa.power_to_db(
        librosa.feature.melspectrogram(y=waveform(path), sr=RATE, **NUMBERS), top_db=None
    )


STAGES = {
    "decode (soundfile)": decoding,
    "decode (miniaudio)": decoding_by_miniaudio,
    "resample (soxr HQ)": resampling,
    "log-mel": our_log_mel,
    "log-mel (librosa)": librosas_log_mel,
}
PATHS = {
    "from a folder": ours("folder"),
    "from a zip": ours("archive"),
    "librosa": with_librosa,
    "torchaudio": with_torchaudio,
    "nnAudio": with_nnaudio,
    "essentia": with_essentia,
    "kapre": with_kapre,
}


def take_turns(name: str, orders: Connection) -> None:
    """Run a row a few times per order; send back the seconds, or the result."""
    warnings.simplefilter("ignore")
    keep_freed_memory(large=False)
    try:
        make = {**STAGES, **PATHS}[name]()
    except ImportError as error:
        print(f"{name} is left out: {error}", file=sys.stderr)
        orders.send(None)
        return
    orders.send(name)
    while order := orders.recv():
        path, timed = order
        result = make(path)
        seconds = []
        for _ in range(TURNS if timed else 0):
            started = time.perf_counter()
            make(path)
            seconds.append(time.perf_counter() - started)
        orders.send(seconds if timed else result)


def start_rows() -> dict[str, Connection]:
    """Start a process for each row; leave out those that are not installed."""
    context = get_context("spawn")
    rows = {}
    for name in (*STAGES, *PATHS):
        here, there = context.Pipe()
        context.Process(target=take_turns, args=(name, there), daemon=True).start()
        there.close()  # so that a process that was killed is an error, not a wait for ever
        if here.recv():
            rows[name] = here
    return rows


def medians(rows: dict[str, Connection], path: Path) -> dict[str, float]:
    """Median milliseconds of each row."""
    taken: dict[str, list[float]] = {name: [] for name in rows}
    for _ in range(ROUNDS):
        for name, row in rows.items():
            row.send((path, True))
            taken[name] += row.recv()
    return {name: 1000 * float(np.median(seconds)) for name, seconds in taken.items()}


def disagreement(made: np.ndarray, reference: np.ndarray) -> tuple[float, float]:
    """Largest and median difference in dB, where the reference is above -80 dB."""
    loud = reference > -80
    difference = np.abs(made - reference)[loud]
    return float(difference.max()), float(np.median(difference))


def report(path: Path, rows: dict[str, Connection]) -> None:
    """Print the tables of one clip."""
    milliseconds = medians(rows, path)
    decoding, librosas = milliseconds["decode (soundfile)"], milliseconds["librosa"]
    print(f"\n{path.name}\n")
    print("| stage | ms | of soundfile's decoding |\n| --- | ---: | ---: |")
    for name in filter(rows.get, STAGES):
        print(f"| {name} | {milliseconds[name]:.2f} | {milliseconds[name] / decoding:.2f} |")
    print("\n| file to log-mel | ms | of decoding | of librosa's | max dB off | median |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    reference = in_librosa(path)
    for name in filter(rows.get, PATHS):
        rows[name].send((path, False))
        greatest, middle = disagreement(rows[name].recv(), reference)
        taken = milliseconds[name]
        print(
            f"| {name} | {taken:.2f} | {taken / decoding:.2f} | {taken / librosas:.2f} "
            f"| {greatest:.3g} | {middle:.2g} |"
        )


def work(paths: list[Path], started: Barrier) -> None:
    """Convert clips one after another, as a worker of the pipeline does."""
    keep_freed_memory(large=False)
    make = ours("folder")()
    make(paths[0])
    started.wait()
    for number in range(CLIPS_PER_PROCESS):
        make(paths[number % len(paths)])


def throughput(paths: list[Path], processes: int) -> float:
    """Clips per second of several processes together, without the time to start them."""
    context = get_context("spawn")
    barrier = context.Barrier(processes + 1)
    workers = [context.Process(target=work, args=(paths, barrier)) for _ in range(processes)]
    for worker in workers:
        worker.start()
    barrier.wait(timeout=600)  # ends if a process was killed
    started = time.perf_counter()
    for worker in workers:
        worker.join()
    return processes * CLIPS_PER_PROCESS / (time.perf_counter() - started)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", type=Path, nargs="+", metavar="CLIP.mp3", help="clips to convert")
    clips = parser.parse_args().clips
    with tempfile.TemporaryDirectory() as scratch:
        folder, archive = Path(scratch, "folder"), Path(scratch, "archive")
        (folder / "0").mkdir(parents=True)
        archive.mkdir()
        with zipfile.ZipFile(archive / "mp3.zip", "w", zipfile.ZIP_DEFLATED) as file:
            for clip in clips:
                shutil.copyfile(clip, folder / "0" / clip.name)
                file.write(clip, f"0/{clip.name}")
        os.chdir(scratch)
        paths = [folder / "0" / clip.name for clip in clips]
        rows = start_rows()
        for path in paths:
            report(path, rows)
        for row in rows.values():
            row.send(None)
        rates: dict[int, list[float]] = {1: [], 2: []}
        for _ in range(3):
            for processes, found in rates.items():
                found.append(throughput(paths, processes))
        one, two = (float(np.median(found)) for found in rates.values())
        print(f"\nOne process {one:.0f} clips/s, two {two:.0f}: {two / one:.2f} times as many.")


if __name__ == "__main__":
    main()
