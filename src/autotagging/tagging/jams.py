"""Results in JAMS, the JSON of annotated music (Humphrey et al., ISMIR 2014), version 0.3.4."""

from collections.abc import Mapping
from typing import Any

from autotagging.tagging.bundle import Description

_VERSION = "0.3.4"


def jams(result: Mapping[str, Any], described: Description) -> dict[str, Any]:
    """Write the result of a song as a JAMS document, with the namespace tag_open.

    Each tag is an observation of the whole song whose confidence is its score. If the result has
    the scores of the windows, a second annotation has an observation of each tag and window.

    Parameters
    ----------
    result
        Result of a song, without an error.
    described
        The tagger.
    """
    seconds, scores = result["seconds"], result["scores"]
    annotations = [
        _annotation(
            described,
            [_observation(tag, 0.0, seconds, score) for tag, score in scores.items()],
            seconds,
            rules="mean of the scores of all windows",
            sandbox={"tags": list(result["tags"]), "thresholds": dict(described.thresholds)},
        )
    ]
    if "window_scores" in result:
        length = described.window_seconds
        observed = [
            _observation(tag, max(start, 0.0), min(length, seconds), score)
            for start, of_window in zip(
                result["window_starts"], result["window_scores"], strict=True
            )
            for tag, score in zip(described.tags, of_window, strict=True)
        ]
        annotations.append(
            _annotation(described, observed, seconds, rules="scores of each window", sandbox={})
        )
    return {
        "annotations": annotations,
        "file_metadata": {
            "title": "",
            "artist": "",
            "release": "",
            "duration": seconds,
            "identifiers": {"audio_sha256": result["audio_sha256"]},
            "jams_version": _VERSION,
        },
        "sandbox": {"path": result["path"]},
    }


def _observation(tag: str, time: float, seconds: float, score: float) -> dict[str, Any]:
    return {"time": time, "duration": seconds, "value": tag, "confidence": score}


def _annotation(
    described: Description,
    data: list[dict[str, Any]],
    seconds: float,
    *,
    rules: str,
    sandbox: dict[str, Any],
) -> dict[str, Any]:
    return {
        "annotation_metadata": {
            "curator": {"name": "", "email": ""},
            "annotator": {"model": described.model, "seed": described.seed},
            "version": described.digest,
            "corpus": "",
            "annotation_tools": "autotagging",
            "annotation_rules": rules,
            "validation": "",
            "data_source": "program",
        },
        "namespace": "tag_open",
        "data": data,
        "sandbox": sandbox,
        "time": 0,
        "duration": seconds,
    }
