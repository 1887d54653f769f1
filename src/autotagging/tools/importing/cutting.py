"""Cut a song into clips of one length: decode, mix down, resample, write FLAC."""

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
import soxr

from autotagging.corpus.decoding import LOUDEST, mixed_down, quiet
from autotagging.mel.sizes import clip_samples
from autotagging.tagging.audio import open_audio
from autotagging.tagging.errors import AudioError

LONGEST_CLIP = 3600.0
"""Seconds of the longest clips, each of which is in memory as a whole."""

_FULL_SCALE = 32768  # of 16-bit audio
# Twice the RMS up to which extract_mel takes a clip for silent, so that it never does.
_SILENT = 2.0
_MOST_CHANNELS = 32


@dataclass(frozen=True)
class CutSettings:
    """How songs are cut into clips.

    Attributes
    ----------
    seconds
        Length of a clip in seconds, at least 1 and extract_mel.seconds of params.yaml, at most
        3,600.
    sample_rate
        Sample rate of the clips in Hz, at least extract_mel.sample_rate of params.yaml; one that
        FLAC has.
    shortest
        Length of the shortest song in seconds. What is shorter than a clip is padded with zeros.
    clips_per_song
        Largest number of clips of a song, which are spread over it; by default all.
    """

    seconds: float = 29.12
    sample_rate: int = 16_000
    shortest: float = 10.0
    clips_per_song: int | None = None

    @property
    def samples(self) -> int:
        """Number of samples of a clip."""
        return clip_samples(seconds=self.seconds, sample_rate=self.sample_rate)


class AudioSize(NamedTuple):
    """Length of audio in frames, its sample rate in Hz, and the number of its channels."""

    frames: int
    sample_rate: int
    channels: int


class Clip(NamedTuple):
    """A clip that was written: its mp3_path, and its first and last second in the song."""

    mp3_path: str
    start: int
    end: int


class Cut(NamedTuple):
    """A song that was cut: its clips, a hash of their samples, and the number of silent parts."""

    clips: tuple[Clip, ...]
    digest: str
    silent: int


class BadSongError(Exception):
    """A song that can't be cut; the text says why."""


def flac_has(sample_rate: int) -> bool:
    """Tell whether FLAC can store a sample rate in Hz (RFC 9639, sec. 9.1.2)."""
    return sample_rate <= 65_535 or (sample_rate <= 655_350 and sample_rate % 10 == 0)


def check_size(size: AudioSize, settings: CutSettings) -> None:
    """Check what can be known of a song without decoding it.

    Raises
    ------
    BadSongError
        The song is too short, or has too many channels.
    """
    _check_channels(size.channels)
    _check_length(size.frames, size.sample_rate, settings)


def cut_song(path: Path, stem: str, folder: Path, settings: CutSettings) -> Cut:
    """Cut a song into consecutive clips, without the rest at its end, and leave out silent ones.

    No more than one clip at a time is in memory.

    Parameters
    ----------
    path
        Audio file, in any format that libsndfile reads, or the program `ffmpeg`, if it is found.
    stem
        Beginning of the clips' paths, such as "f/artist-title"; the seconds follow.
    folder
        Folder of the corpus, which has the folder in `stem`.
    settings
        Length, sample rate and number of the clips.

    Raises
    ------
    BadSongError
        The song can't be decoded to its end, is too short, silent, or not in the range -1 to 1.
    """
    clips, silent, digest = [], 0, hashlib.sha256()
    for start, end, waveform in _clips(path, settings):
        pcm = _sixteen_bit(waveform, settings.samples)
        digest.update(pcm)
        if np.sqrt(np.mean(np.square(pcm, dtype=np.float64))) <= _SILENT:
            silent += 1
            continue
        clips.append(Clip(f"{stem}-{start}-{end}.flac", start, end))
        encoded = io.BytesIO()
        soundfile.write(encoded, pcm, settings.sample_rate, format="FLAC", subtype="PCM_16")
        (folder / clips[-1].mp3_path).write_bytes(encoded.getbuffer())
    if not clips:
        raise BadSongError("silent")
    kept = _spread(len(clips), settings.clips_per_song)
    for number, clip in enumerate(clips):
        if number not in kept:
            (folder / clip.mp3_path).unlink()
    return Cut(tuple(clips[number] for number in kept), digest.hexdigest(), silent)


def _spread(count: int, most: int | None) -> list[int]:
    """Choose at most so many of `count` numbers from 0, evenly: the middles of equal parts."""
    most = min(count, most or count)
    return [(2 * part + 1) * count // (2 * most) for part in range(most)]


def _clips(path: Path, settings: CutSettings) -> Iterator[tuple[int, int, np.ndarray]]:
    """Yield start and end in seconds, and the waveform at the clips' sample rate."""
    seconds = 0.0
    try:
        with quiet():
            file = open_audio(path)
        with file:
            _check_channels(file.channels)
            rate, number = file.samplerate, 0
            edges = [0, round(settings.seconds * rate)]
            while len(samples := _read(file, edges[1] - edges[0])):
                length = edges[1] - edges[0]
                if len(samples) < length and number:
                    break  # the rest at the end
                if not number:
                    _check_length(len(samples), rate, settings)
                waveform = _checked(mixed_down(samples))
                resampled = soxr.resample(waveform, rate, settings.sample_rate, quality="HQ")
                end = edges[0] + len(samples)
                yield int(seconds), int(end / rate), resampled
                number, seconds = number + 1, end / rate
                edges = [end, round((number + 1) * settings.seconds * rate)]
            if failure := file.failure():
                raise BadSongError(f"not decoded to its end: {failure}")
    except AudioError as error:
        raise BadSongError(error.message) from None
    except soundfile.LibsndfileError as error:
        raise BadSongError(f"decoding fails after about {seconds:.0f} s ({error})") from None
    if not number:
        raise BadSongError("no samples can be decoded")


def _check_channels(count: int) -> None:
    if count > _MOST_CHANNELS:
        raise BadSongError(f"{count} channels, expected at most {_MOST_CHANNELS}")


def _check_length(frames: int, rate: int, settings: CutSettings) -> None:
    """Raise BadSongError for what is shorter than a clip and than the shortest song."""
    if frames < min(round(settings.seconds * rate), round(settings.shortest * rate, 6)):
        raise BadSongError(
            f"{frames / rate:.1f} s long, shorter than --shortest {settings.shortest:g}"
        )


def _read(file: soundfile.SoundFile, length: int) -> np.ndarray:
    """Decode the next samples, float32, (samples, channels); fewer at the end."""
    with quiet():
        return file.read(length, dtype="float32", always_2d=True)


def _checked(waveform: np.ndarray) -> np.ndarray:
    """Raise BadSongError for what is no waveform in the range -1 to 1."""
    with np.errstate(over="ignore", invalid="ignore"):
        rms = np.sqrt(np.dot(waveform, waveform) / len(waveform))
    if not np.isfinite(rms):
        raise BadSongError("samples that are not finite")
    if rms > LOUDEST:
        raise BadSongError(f"samples far above full scale (RMS {rms:.3g}), expected -1 to 1")
    return waveform


def _sixteen_bit(waveform: np.ndarray, samples: int) -> np.ndarray:
    """Convert a waveform to int16, zero-padded at both ends to (samples,)."""
    scaled = np.rint(np.clip(waveform[:samples] * _FULL_SCALE, -_FULL_SCALE, _FULL_SCALE - 1))
    before = (samples - len(scaled)) // 2
    pcm = np.zeros(samples, np.int16)
    pcm[before : before + len(scaled)] = scaled
    return pcm
