"""Audio of single clips, for figures and playback."""

from pathlib import Path

import numpy as np
import pandas as pd

from autotagging.common.errors import UserError
from autotagging.corpus.audio import open_corpus
from autotagging.corpus.containers import BadClipError
from autotagging.reporting.inputs import read_table

_MOST_PLAYED = 2_000_000  # bytes; a clip of MagnaTagATune has 117,000


def read_clip(
    download: Path, split: Path, clip_id: int | None, *, sample_rate: int
) -> tuple[pd.Series, np.ndarray]:
    """Decode a clip, by default the decodable test clip of lowest clip_id.

    Returns
    -------
    clip
        clip_id, mp3_path, subset.
    waveform : float32, (samples,)

    Raises
    ------
    UserError
        The clip does not exist or can't be decoded.
    """
    clips = read_table(split, ("clip_id", "mp3_path", "subset")).sort_values("clip_id")
    wanted = clips["subset"] == "test" if clip_id is None else clips["clip_id"] == clip_id
    corpus = open_corpus(download)
    reason = "not in the table"
    for _, clip in clips[wanted].iterrows():
        try:
            return clip, corpus.waveform(clip["mp3_path"], sample_rate=sample_rate)
        except BadClipError as error:
            reason = str(error)
    which = "no test clip can be read" if clip_id is None else f"clip {clip_id}"
    raise UserError(f"{split}: {which} ({reason}); choose another clip")


def read_audio(download: Path, mp3_path: str) -> tuple[bytes, str]:
    """Read the file of a clip, if it can be played.

    Returns
    -------
    audio
        Bytes of the file; empty if it is missing, has changed, is too long or can't be decoded.
    reason
        Reason for empty audio.
    """
    try:
        corpus = open_corpus(download)
        corpus.decode(mp3_path)
        encoded = corpus.encoded(mp3_path)
    except BadClipError as error:
        return b"", str(error).replace("_", " ")
    except (UserError, OSError):  # their texts hold paths of this machine
        return b"", "the audio of the corpus is missing, has changed, or can't be opened"
    if len(encoded) > _MOST_PLAYED:
        return b"", f"more than {_MOST_PLAYED:,} bytes"
    return encoded, ""
