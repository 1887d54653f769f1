"""The demo corpus: synthetic music and its tags in the files and formats of MagnaTagATune.

It replaces the real audio where that is not available. The same arguments give the same bytes.
"""

import functools
import io
import os
import threading
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import soundfile
from threadpoolctl import threadpool_limits

from autotagging.common.errors import UserError
from autotagging.common.files import write_json
from autotagging.common.progress import progress
from autotagging.corpus.folders import CLIP_INFO_COLUMNS, unfinished, write_table
from autotagging.corpus.paths import ANNOTATIONS, CLIP_INFO
from autotagging.corpus.raw_tags import RAW_TAGS
from autotagging.demo.catalogue import Clip, catalogue
from autotagging.demo.listeners import listen
from autotagging.demo.pieces import Piece, compose, perform
from autotagging.demo.synthesis import SAMPLE_RATE

# The encoder adds a frame of 1152 samples: the clip decodes to 465,984 samples, 29.124 s.
SAMPLES = 464_832
# Compression level of libsndfile at which LAME's constant bitrate is 32 kbit/s for 16 kHz.
COMPRESSION = 0.84
PARTS = ("mp3.zip.001", "mp3.zip.002", "mp3.zip.003")
# As in the official parts: two of 37 % and the rest.
PART_SHARE = 0.37
RECEIPT = "demo.json"
FEWEST_CLIPS = 4

MadeClip = tuple[bytes, frozenset[str]]


def synthesise(
    folder: Path,
    *,
    clips: int,
    seed: int,
    workers: int | None = None,
    receipt: Mapping[str, Any] | None = None,
) -> None:
    """Write a demo corpus.

    The whole folder appears at once; only one process may write it.

    Parameters
    ----------
    folder
        Folder for ``annotations_final.csv``, ``clip_info_final.csv`` and ``mp3.zip.001`` to
        ``.003``, the parts of one zip archive. If it exists, it is replaced.
    clips
        Number of annotated clips; one of them has an mp3 of zero bytes.
    seed
        Seed of all random choices; 0 or more.
    workers
        Number of processes; by default the number of cores. The bytes do not depend on it.
    receipt
        Content of ``demo.json``, which tells how a complete corpus was made.

    Raises
    ------
    UserError
        There are too few clips, the seed is negative, or `folder` is not a folder.
    """
    if clips < FEWEST_CLIPS:
        raise UserError(f"demo corpus: {clips} clips are too few; ask for {FEWEST_CLIPS} or more")
    if seed < 0:
        raise UserError(f"demo corpus: the seed {seed} is negative; use 0 or more")
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder}: not a folder; move it away or name another")
    listed = catalogue(clips, seed=seed)
    annotated = [clip for clip in listed if clip.annotated]
    with unfinished(folder) as scratch:
        write_table(scratch / CLIP_INFO, CLIP_INFO_COLUMNS, map(_info_row, listed))
        tags = _write_audio(scratch, annotated, seed=seed, workers=workers)
        rows = (_annotation_row(clip, given) for clip, given in zip(annotated, tags, strict=True))
        columns = ("clip_id", *RAW_TAGS, "mp3_path")
        write_table(scratch / ANNOTATIONS, columns, rows)
        if receipt is not None:
            write_json(dict(receipt), scratch / RECEIPT)


def piece_of(clip: Clip, *, seed: int) -> Piece:
    """Return the music of a clip, in the key and with the chords of its track."""
    return compose(
        clip.style,
        seconds=SAMPLES / SAMPLE_RATE,
        track=np.random.default_rng([seed, 1, clip.track.index]),
        passage=np.random.default_rng([seed, 4, clip.clip_id]),
    )


def make_clip(clip: Clip, *, seed: int, silent: bool = False) -> MadeClip:
    """Make the audio file and the tags of a clip.

    Parameters
    ----------
    clip
        Clip to make.
    seed
        Seed of the corpus.
    silent
        Whether the file is empty, as three of the official ones are.

    Returns
    -------
    mp3
        Content of the file: 16 kHz, mono, 32 kbit/s.
    tags
        The raw tags that the listeners gave.
    """
    piece = piece_of(clip, seed=seed)
    tags = listen(piece.chances(), rng=np.random.default_rng([seed, 2, clip.clip_id]))
    if silent:
        return b"", tags
    # With several threads BLAS may add in another order, and the bytes would differ.
    with threadpool_limits(1):
        waveform = perform(piece, rng=np.random.default_rng([seed, 3, clip.clip_id]))
    return _encode(waveform), tags


def _encode(waveform: np.ndarray) -> bytes:
    file = io.BytesIO()
    soundfile.write(
        file,
        waveform,
        SAMPLE_RATE,
        format="MP3",
        subtype="MPEG_LAYER_III",
        bitrate_mode="CONSTANT",
        compression_level=COMPRESSION,
    )
    return file.getvalue()


def _write_audio(
    folder: Path, clips: Sequence[Clip], *, seed: int, workers: int | None
) -> list[frozenset[str]]:
    """Write the parts of the archive; return the tags of the clips."""
    empty = len(clips) // 2
    made: Iterator[MadeClip] = joblib.Parallel(
        n_jobs=workers or joblib.cpu_count(), return_as="generator"
    )(
        joblib.delayed(_make_in_worker)(clip, seed=seed, silent=index == empty, parent=os.getpid())
        for index, clip in enumerate(clips)
    )
    tags = []
    archive = folder / "mp3.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as file:
        for clip, (mp3, given) in zip(
            clips, progress(made, total=len(clips), label="Synthesising clips"), strict=True
        ):
            file.writestr(_entry(clip.mp3_path), mp3)
            tags.append(given)
    _cut(archive)
    return tags


def _entry(path: str) -> zipfile.ZipInfo:
    """Entry of the archive that does not depend on the time and system of its creation."""
    entry = zipfile.ZipInfo(path, date_time=(2009, 1, 1, 0, 0, 0))
    entry.create_system = 3
    entry.external_attr = 0o644 << 16
    return entry


def _cut(archive: Path) -> None:
    """Replace an archive by its parts."""
    size = archive.stat().st_size
    with archive.open("rb") as file:
        for name in PARTS:
            left = size - file.tell()
            length = left if name == PARTS[-1] else int(size * PART_SHARE)
            with (archive.parent / name).open("wb") as part:
                while length:
                    block = file.read(min(length, 1 << 20))
                    part.write(block)
                    length -= len(block)
    archive.unlink()


def _info_row(clip: Clip) -> tuple[object, ...]:
    track = clip.track
    return (
        clip.clip_id,
        f"{track.number:02d}",
        track.title,
        track.artist,
        track.album,
        track.url,
        clip.start,
        clip.end,
        track.original_url,
        clip.mp3_path,
    )


def _annotation_row(clip: Clip, tags: frozenset[str]) -> tuple[object, ...]:
    return (clip.clip_id, *(int(tag in tags) for tag in RAW_TAGS), clip.mp3_path)


@functools.cache
def _end_with(parent: int) -> None:
    """End this worker soon after the process that started it, which may be killed."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    if os.getpid() != parent:
        threading.Thread(target=watch, daemon=True).start()


def _make_in_worker(clip: Clip, *, seed: int, silent: bool, parent: int) -> MadeClip:
    _end_with(parent)
    return make_clip(clip, seed=seed, silent=silent)
