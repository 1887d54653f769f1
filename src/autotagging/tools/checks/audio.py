"""The MP3 decoder and the resampler, compared with what they gave when the checks were written."""

import base64
import json
from pathlib import Path
from typing import Any

from autotagging.tools.checks import Check
from autotagging.tools.checks.packages import install

_STORED = Path(__file__).with_name("tone.json")
_LARGEST = 1e-5  # of a sample; other builds of a decoder round differently, by about 1e-7


def check_decoder() -> Check:
    """Decode a built-in MP3 (0.25 s, 16 kHz, 32 kbit/s) and compare its samples."""
    import soundfile

    from autotagging.corpus.decoding import decode_audio

    stored = _stored()
    library = f"libsndfile {soundfile.__libsndfile_version__}"
    decoded = decode_audio(base64.b64decode(stored["mp3"]), longest=1.0)
    fault = _fault(decoded.waveform, stored["decoded"])
    if decoded.sample_rate != stored["sample_rate"]:
        fault = f"{decoded.sample_rate} Hz, not {stored['sample_rate']}"
    if fault:
        return Check("decoder", f"{library} decodes the built-in MP3 otherwise: {fault}", install())
    return Check("decoder", f"{library} decodes the built-in MP3 as it should")


def check_resampler() -> Check:
    """Resample the stored samples from 16 to 12 kHz, as the spectrograms need it, and compare."""
    import numpy as np
    import soxr

    stored = _stored()
    samples = np.frombuffer(base64.b64decode(stored["tone"]), np.int16) / np.float32(32768)
    resampled = soxr.resample(samples, stored["sample_rate"], stored["resampled_to"], quality="HQ")
    if fault := _fault(resampled, stored["resampled"]):
        text = f"soxr {soxr.__version__} resamples otherwise: {fault}"
        return Check("resampler", text, install())
    return Check("resampler", f"soxr {soxr.__version__} resamples as it should")


def _stored() -> dict[str, Any]:
    return json.loads(_STORED.read_text(encoding="utf-8"))


def _fault(samples: Any, expected: dict[str, Any]) -> str:
    """Say how samples differ from the stored ones, of which there is one in 32; else ""."""
    import numpy as np

    if len(samples) != expected["length"]:
        return f"{len(samples)} samples, not {expected['length']}"
    difference = float(np.abs(samples[::32] - np.array(expected["every_32nd"])).max())
    return "" if difference <= _LARGEST else f"samples differ by up to {difference:.2g}"
