"""Speed and exactness of the front end, beside librosa's and others', in one run.

Usage: python benchmarks/mel.py CLIP.mp3 ..., with OMP_NUM_THREADS=1.

A clip's times are medians over rounds in which all rows take turns. torchaudio, nnAudio, essentia,
kapre and miniaudio take part where they are installed; none of them is needed by the pipeline.
"""

import importlib.util
import io
import os
import sys
import tempfile
import time
import warnings
import zipfile
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path

import librosa
import numpy as np
import soundfile
import soxr

from autotagging import mel
from autotagging.corpus import Corpus, open_corpus
from autotagging.extraction import FrontEnd
from autotagging.steps.extract_mel import keep_freed_memory

RATE, N_FFT, HOP, N_MELS = 12_000, 512, 256, 96
SAMPLES = 349_440
FRONT_END = FrontEnd(
    sample_rate=RATE,
    n_fft=N_FFT,
    hop_length=HOP,
    n_mels=N_MELS,
    seconds=29.12,
    tolerance=1.0,
    longest=60.0,
    log_scale="power_db",
)
ROUNDS, TURNS = 12, 5
CLIPS_PER_PROCESS = 400

Mel = Callable[[Path], np.ndarray]


def decode(path: Path) -> np.ndarray:
    """Decode as soundfile does, (samples,)."""
    return soundfile.read(io.BytesIO(path.read_bytes()), dtype="float32")[0]


def waveform_of(path: Path) -> np.ndarray:
    """What front ends that don't decode are given: the clip at 12 kHz, cropped."""
    decoded, rate = soundfile.read(io.BytesIO(path.read_bytes()), dtype="float32")
    return mel.fit_length(soxr.resample(decoded, rate, RATE, quality="HQ"), SAMPLES)


def in_librosa(path: Path) -> np.ndarray:
    waveform, _ = librosa.load(path, sr=RATE)
    power = librosa.feature.melspectrogram(
        y=mel.fit_length(waveform, SAMPLES), sr=RATE, n_fft=N_FFT, hop_length=HOP, n_mels=N_MELS
    )
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
        waveform = torch.from_numpy(mel.fit_length(resampled, SAMPLES))
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
        waveform = np.pad(mel.fit_length(loaded, SAMPLES), N_FFT // 2)
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


RIVALS = {
    "torchaudio": with_torchaudio,
    "nnAudio": with_nnaudio,
    "essentia": with_essentia,
    "kapre": with_kapre,
}


def stages(path: Path) -> dict[str, Callable[[], object]]:
    """What a clip's time is made of."""
    decoded = decode(path)
    waveform = waveform_of(path)
    numbers = {"n_fft": N_FFT, "hop_length": HOP, "n_mels": N_MELS}
    rows: dict[str, Callable[[], object]] = {"decode (soundfile)": lambda: decode(path)}
    if importlib.util.find_spec("miniaudio"):
        import miniaudio

        rows["decode (miniaudio)"] = lambda: miniaudio.mp3_read_file_f32(str(path))
    rows["resample (soxr HQ)"] = lambda: soxr.resample(decoded, 16_000, RATE, quality="HQ")
    rows["log-mel"] = lambda: mel.log_mel(waveform, sample_rate=RATE, **numbers)
    rows["log-mel (librosa)"] = lambda: librosa.power_to_db(
        librosa.feature.melspectrogram(y=waveform, sr=RATE, **numbers), top_db=None
    )
    return rows


def paths(folder: Corpus, archive: Corpus) -> dict[str, Mel]:
    """From the file to a log-mel spectrogram, by each front end that is installed."""
    rows: dict[str, Mel] = {
        "from a folder": lambda path: FRONT_END.extract(folder, f"0/{path.name}")[0],
        "from a zip": lambda path: FRONT_END.extract(archive, f"0/{path.name}")[0],
        "librosa": in_librosa,
    }
    for name, prepare in RIVALS.items():
        if importlib.util.find_spec(name):
            rows[name] = prepare()
        else:
            print(f"{name} is not installed and takes no part", file=sys.stderr)
    return rows


def medians(rows: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Median milliseconds of each row."""
    taken: dict[str, list[float]] = {name: [] for name in rows}
    for row in rows.values():
        row()
    for _ in range(ROUNDS):
        for name, row in rows.items():
            row()
            for _ in range(TURNS):
                started = time.perf_counter()
                row()
                taken[name].append(time.perf_counter() - started)
    return {name: 1000 * float(np.median(seconds)) for name, seconds in taken.items()}


def disagreement(made: np.ndarray, reference: np.ndarray) -> tuple[float, float]:
    """Greatest and median difference in dB, where the reference is above -80 dB."""
    if made.shape != reference.shape:
        return float("nan"), float("nan")
    loud = reference > -80
    difference = np.abs(made - reference)[loud]
    return float(difference.max()), float(np.median(difference))


def work(folder: Path, names: list[str], clips: int) -> None:
    """What a worker does: so many clips, one after another."""
    keep_freed_memory()
    corpus = open_corpus(folder)
    for number in range(clips):
        FRONT_END.extract(corpus, names[number % len(names)])


def throughput(folder: Path, names: list[str], processes: int) -> float:
    """Clips a second of some processes together, starting left out."""
    context = get_context("fork")
    workers = [
        context.Process(target=work, args=(folder, names, CLIPS_PER_PROCESS))
        for _ in range(processes)
    ]
    started = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return processes * CLIPS_PER_PROCESS / (time.perf_counter() - started)


def main(clips: list[Path]) -> None:
    warnings.simplefilter("ignore")
    keep_freed_memory()
    with tempfile.TemporaryDirectory() as scratch:
        folder, archive = Path(scratch, "folder"), Path(scratch, "archive")
        (folder / "0").mkdir(parents=True)
        archive.mkdir()
        with zipfile.ZipFile(archive / "mp3.zip", "w", zipfile.ZIP_DEFLATED) as file:
            for clip in clips:
                (folder / "0" / clip.name).write_bytes(clip.read_bytes())
                file.write(clip, f"0/{clip.name}")
        table = paths(open_corpus(folder), open_corpus(archive))
        for clip in clips:
            report(clip, table)
        names = [f"0/{clip.name}" for clip in clips]
        rates = {1: [], 2: []}
        for _ in range(3):
            for processes, found in rates.items():
                found.append(throughput(folder, names, processes))
        one, two = (float(np.median(rates[processes])) for processes in (1, 2))
        print(f"\nOne process {one:.0f} clips/s, two {two:.0f}: {two / one:.2f} times as many.")


def report(clip: Path, table: dict[str, Mel]) -> None:
    """Print the tables of one clip."""
    reference = in_librosa(clip)
    usable = dict(table)
    for name, make in table.items():
        with suppress(Exception):
            make(clip)
            continue
        print(f"{name} can't read {clip.name}", file=sys.stderr)
        del usable[name]
    parts = stages(clip)
    milliseconds = medians(
        {**parts, **{name: lambda make=make: make(clip) for name, make in usable.items()}}
    )
    decoding, librosas = milliseconds["decode (soundfile)"], milliseconds["librosa"]
    print(f"\n{clip.name}\n")
    print("| stage | ms | of soundfile's decoding |\n| --- | ---: | ---: |")
    for name in parts:
        print(f"| {name} | {milliseconds[name]:.2f} | {milliseconds[name] / decoding:.2f} |")
    print("\n| file to log-mel | ms | of decoding | of librosa's | max dB off | median |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for name, make in usable.items():
        taken = milliseconds[name]
        greatest, middle = disagreement(make(clip), reference)
        print(
            f"| {name} | {taken:.2f} | {taken / decoding:.2f} | {taken / librosas:.2f} "
            f"| {greatest:.3g} | {middle:.2g} |"
        )


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main([Path(argument) for argument in sys.argv[1:]])
