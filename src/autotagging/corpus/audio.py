"""Read the clips of a corpus in MagnaTagATune's format (sec. II.A).

A corpus is a folder with annotations_final.csv, clip_info_final.csv and the audio: mp3.zip, its
parts mp3.zip.001, ..., or folders of mp3 files. FLAC, Ogg and WAV files may be among them. Clips
are read directly from the archive, and never from outside the corpus.
"""

import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from autotagging.common.errors import UserError
from autotagging.common.files import read_json
from autotagging.corpus.containers import ArchiveAudio, BadClipError, FolderAudio
from autotagging.corpus.decoding import Decoded, decode_audio, most_bytes
from autotagging.corpus.paths import (
    ARCHIVE,
    CLIP_PATH,
    archive_files,
    clip_folder,
    corpus_folder,
    is_made_here,
)

_LONGEST = 600.0  # seconds, of a clip that is not limited otherwise


class Corpus:
    """The clips of one corpus folder, opened by `open_corpus`.

    Parameters
    ----------
    folder
        Folder of the corpus.
    checksums
        CRC-32 that the file of a clip must have, by mp3_path; others may have any.

    Raises
    ------
    UserError
        There is no audio, or the archive is damaged.
    """

    def __init__(self, folder: Path, checksums: Mapping[str, int] | None = None):
        self.folder = folder
        self._checksums = checksums or {}
        if archives := archive_files(folder):
            self._audio = ArchiveAudio(archives)
        elif root := clip_folder(folder):
            self._audio = FolderAudio(root, corpus=folder)
        else:
            other = next(
                (f"; found {mp3.relative_to(folder)}" for mp3 in folder.rglob("*.mp3")), ""
            )
            raise UserError(
                f"{folder}: no audio; expected {ARCHIVE}, its parts {ARCHIVE}.001, ..., "
                f"or folders 0 to f of mp3 files{other}"
            )

    def sizes(self) -> dict[str, int]:
        """Size of each existing clip in bytes, by mp3_path."""
        return self._audio.sizes()

    def size(self, mp3_path: str) -> int | None:
        """Size of one clip in bytes; None if it is missing. No other clip is looked up."""
        return self._audio.size(mp3_path)

    def crc32(self, mp3_path: str) -> int | None:
        """CRC-32 of one clip's file; None if it is missing. The first call may read all clips."""
        return self._audio.crc32(mp3_path)

    def first_name(self) -> str | None:
        """Name of the first file, whether or not it is a clip; None if there is none."""
        return self._audio.first_name()

    def fingerprint(self) -> dict[str, Any]:
        """Describe the audio: files, bytes, and the SHA-256 of the archive or of all clips."""
        return self._audio.fingerprint()

    def encoded(self, mp3_path: str, *, longest: float = _LONGEST) -> bytes:
        """Read one clip's file without decoding it.

        Parameters
        ----------
        mp3_path, longest
            See `decode`, which also lists the errors that are raised before decoding.
        """
        if not CLIP_PATH.fullmatch(mp3_path):
            raise UserError(f"mp3_path {mp3_path!r} is not like 0/name.mp3; nothing was opened")
        encoded = self._audio.read(mp3_path, most_bytes=most_bytes(longest))
        if zlib.crc32(encoded) != self._checksums.get(mp3_path, zlib.crc32(encoded)):
            raise UserError(
                f"{self.folder}: {mp3_path} has changed since the download; run `snakemake --cores "
                "all --forcerun download`"
            )
        if not encoded:
            raise BadClipError("empty")
        return encoded

    def decode(self, mp3_path: str, *, longest: float = _LONGEST) -> Decoded:
        """Decode one clip, up to the length in its header, and average its channels.

        Parameters
        ----------
        mp3_path
            The clip's path as in the annotations, such as "f/artist-album-01-title-0-29.mp3".
        longest
            Maximum length to decode, in seconds (plus one sample), which bounds the memory.

        Raises
        ------
        BadClipError
            "missing", "unreadable", "empty", "not_audio", "undecodable" (from the beginning) or
            "non_finite"; and "too_long" for more bytes, encoded or decoded, than `longest` seconds
            take in any common format.
        UserError
            The path is not of the form 0/name.mp3, or is a link that leaves the corpus, or its file
            has another checksum than it must have.
        """
        return decode_audio(self.encoded(mp3_path, longest=longest), longest=longest)

    def waveform(self, mp3_path: str, *, sample_rate: int) -> np.ndarray:
        """Decode one clip, up to 10 minutes, and resample it.

        Parameters
        ----------
        mp3_path
            See `decode`, which also lists the errors.
        sample_rate
            Sample rate of the result, in Hz.

        Returns
        -------
        waveform : float32, (samples,)
            In the range -1 to 1, with the decoded length: lengths in headers are not trusted.
        """
        return self.decode(mp3_path).resampled(sample_rate)


def open_corpus(path: Path | str) -> Corpus:
    """Open a corpus folder, or the corpus that results/download refers to.

    Of the latter, each clip that is read is compared with its checksum in clips.csv.

    Raises
    ------
    UserError
        There is no audio (any more), the archive is damaged, or clips.csv is.
    """
    path = Path(path)
    audio = path / "audio.json"
    if not audio.exists():
        return Corpus(path)
    from autotagging.common.tables import read_table  # the tagger has no pandas

    table = read_table(path / "clips.csv", {"mp3_path": str, "crc32": "Int64"}).dropna()
    checksums = dict(zip(table["mp3_path"], table["crc32"].tolist(), strict=True))
    corpus = read_json(audio, corpus=str)["corpus"]
    folder = corpus_folder(corpus)
    if is_made_here(corpus) and not (archive_files(folder) or clip_folder(folder)):
        raise UserError(
            f"{folder}: the audio of {corpus} is gone; set AUTOTAGGING_CORPORA to the folder that "
            f"has the folder {corpus}, or run `snakemake --cores all --forcerun download`"
        )
    return Corpus(folder, checksums)
