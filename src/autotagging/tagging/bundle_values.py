"""Check the values of bundle.json, which a person may have edited or somebody else written."""

import math
from collections.abc import Mapping
from typing import Any

from autotagging.corpus.names import unfit_character
from autotagging.tagging.front_end import LOG_SCALES, window_samples

_MOST_RATE = 1_000_000  # Hz
_LONGEST = 3600  # seconds
_AGAIN = "export the model again"


def fault(content: Mapping[str, Any]) -> str | None:
    """Say what is wrong with the values of a bundle; None if nothing is.

    Parameters
    ----------
    content
        Content of bundle.json, whose entries have the right types.
    """
    return (
        fault_of_tags(content["tags"])
        or _fault_of_properties(content)
        or _fault_of_front_end(content["front_end"])
        or _fault_of_shape(content)
    )


def fault_of_tags(tags: list[Any]) -> str | None:
    """Say what is wrong with the names of a network's outputs; None if nothing is."""
    if not tags or not all(isinstance(tag, str) for tag in tags) or len({*tags}) < len(tags):
        return "`tags` is no list of different names"
    for tag in tags:
        if unfit_character(tag):
            return f"`tags` has {tag!r}, which has a character that is not for names"
    return None


def _fault_of_properties(content: Mapping[str, Any]) -> str | None:
    for name in ("thresholds", "categories"):
        if unknown := content[name].keys() - {*content["tags"]}:
            return f"`{name}` has {min(unknown)!r}, which is no tag of the model"
    for tag, value in content["thresholds"].items():
        if type(value) not in (int, float) or not 0 <= value <= 1:
            return f"the threshold of {tag!r} is {value!r}, not from 0 to 1"
    for tag, category in content["categories"].items():
        if not isinstance(category, str):
            return f"the category of {tag!r} is {category!r}, not a text"
    return None


def _fault_of_front_end(settings: Mapping[str, Any]) -> str | None:
    seconds, floor = settings["seconds"], settings.get("power_floor", 1.0)
    right = {
        "sample_rate": _is_count(settings["sample_rate"], _MOST_RATE),
        "n_fft": _is_count(settings["n_fft"]) and settings["n_fft"] % 2 == 0,
        "hop_length": _is_count(settings["hop_length"]),
        "n_mels": _is_count(settings["n_mels"]),
        "seconds": type(seconds) in (int, float) and 0 < seconds <= _LONGEST,
        "log_scale": settings["log_scale"] in LOG_SCALES,
        "power_floor": type(floor) in (int, float) and 0 < floor < math.inf,
    }
    for name, is_right in right.items():
        if not is_right:
            return f"`front_end` has {name} {settings[name]!r}, which can't be; {_AGAIN}"
    return None


def _fault_of_shape(content: Mapping[str, Any]) -> str | None:
    """Compare the input of the network with the spectrogram, or with a window of it."""
    settings, windows = content["front_end"], content["windows"]
    samples = window_samples(settings)
    if samples < 1:
        return f"`front_end` has seconds {settings['seconds']!r}, less than a sample; {_AGAIN}"
    frames = whole = 1 + samples // settings["hop_length"]
    if windows is not None:
        frames, scored = windows["frames"], windows["scored"]
        if not _is_count(frames) or not (scored is None or _is_count(scored, whole)):
            return f"`windows` has frames {frames} and scored {scored}, which can't be; {_AGAIN}"
    if content["input_shape"] != [settings["n_mels"], frames]:
        return f"`input_shape` is not {settings['n_mels']} bins by {frames} frames; {_AGAIN}"
    return None


def _is_count(value: Any, most: float = math.inf) -> bool:
    return type(value) is int and 1 <= value <= most
