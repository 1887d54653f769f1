"""Model cards: data, scores, leakage and licence of a model, as the Hugging Face Hub reads them.

The text is templates/model_card.md in this folder.
"""

from pathlib import Path
from typing import Any

import yaml

from autotagging.corpus.paths import is_magnatagatune
from autotagging.dataset.groups import INTERVAL_UNIT
from autotagging.reporting.captions import (
    NO_LIMITS,
    attribution,
    corpus_name,
    intervals_caption,
    licence,
    undefined_resamples,
)
from autotagging.reporting.tables.files import plain_markdown

_TEMPLATE = Path(__file__).with_name("templates") / "model_card.md"
_SHOWN = {
    "roc_auc_macro": ("roc_auc", "ROC-AUC, mean over tags (macro)"),
    "roc_auc_micro": ("roc_auc", "ROC-AUC, all decisions together (micro)"),
    "pr_auc_macro": ("average_precision", "average precision, mean over tags (macro)"),
    "loss": ("loss", "binary cross-entropy"),
    "accuracy": ("accuracy", "accuracy"),
}
"""Names in metrics.json; types on the Hub, and titles."""
_OF_DEMO = "The corpus is synthesised: scores say nothing about recorded music."
_NONE = "–"  # noqa: RUF001


def model_card(metrics: dict[str, Any], model: dict[str, Any], leakage: dict[str, float]) -> str:
    """Describe a trained and evaluated model.

    Parameters
    ----------
    metrics
        Content of metrics.json of evaluate.
    model
        Content of model.json of train.
    leakage
        Share of the test clips whose group is also in training, by level: track, album, artist.

    Returns
    -------
    text
        Markdown with front matter, in which `args` of a metric is its interval.
    """
    corpus = metrics["corpus"]
    front = yaml.safe_dump(_front_matter(metrics, model), sort_keys=False, allow_unicode=True)
    shares = ", ".join(f"{level} {100 * share:.1f} %" for level, share in leakage.items())
    return _TEMPLATE.read_text(encoding="utf-8").format(
        front_matter=front,
        model=model["model"],
        seed=model["seed"],
        n_tags=len(model["tags"]),
        reads=_reads(model),
        corpus=corpus_name(corpus),
        of_demo=_OF_DEMO if corpus == "demo" else "",
        of_start=_started(model),
        attribution=attribution(corpus),
        split=plain_markdown(metrics["split"]),
        synonyms=metrics["synonyms"],
        checksums="\n".join(f"- {name}: `{sha}`" for name, sha in model["trained_on"].items()),
        n_clips=f"{metrics['n_clips']:,}",
        n_scored=metrics["n_tags_scored"],
        intervals=_intervals(metrics),
        scores="\n".join(_row(metrics, name) for name in _SHOWN),
        leakage=f"Test clips that share something with a training clip: {shares}.",
        gain=_gain(metrics),
        weights=model["weights_sha256"],
        licence=_licence(corpus),
        tags=", ".join(map(plain_markdown, model["tags"])),
    )


def _front_matter(metrics: dict[str, Any], model: dict[str, Any]) -> dict[str, Any]:
    corpus, known = metrics["corpus"], licence(metrics["corpus"])
    terms = {"license": known[0] if known else "other"}
    if not known:
        terms |= {"license_name": "licence-of-the-corpus", "license_link": "LICENSE"}
    published = "magnatagatune" if is_magnatagatune(corpus) else None
    dataset = {
        "type": published or corpus,
        "name": corpus_name(corpus),
        "config": metrics["split"],
    }
    result = {
        "task": {"type": "audio-classification", "name": "music tagging"},
        "dataset": {**dataset, "split": "test"},
        "metrics": [_result(metrics, name) for name in _SHOWN if metrics[name] is not None],
    }
    index = {"name": f"autotagging-{model['model']}-seed-{model['seed']}", "results": [result]}
    return {
        **terms,
        "library_name": "keras",
        "pipeline_tag": "audio-classification",
        "tags": ["music", "music-tagging", "autotagging", model["model"]],
        **({"datasets": [published]} if published else {}),
        "metrics": ["roc_auc"],
        "model-index": [index],
    }


def _result(metrics: dict[str, Any], name: str) -> dict[str, Any]:
    """Give a metric with its interval as an entry of the model index."""
    kind, title = _SHOWN[name]
    result = {"type": kind, "name": title, "value": metrics[name]}
    if limits := metrics["intervals"][INTERVAL_UNIT].get(name):
        result["args"] = {"confidence": metrics["confidence"], "resampled": INTERVAL_UNIT, **limits}
    return result


def _reads(model: dict[str, Any]) -> str:
    if "front_end" not in model:
        return "It reads no audio, only a clip's track, album and artist."
    shown = ("sample_rate", "n_fft", "hop_length", "n_mels", "log_scale", "seconds")
    settings = ", ".join(f"{name}: {model['front_end'][name]}" for name in shown)
    return f"It reads log-mel spectrograms ({settings})."


def _started(model: dict[str, Any]) -> str:
    """Say which weights the training started from, if they were not random."""
    if "start_from" not in model:
        return ""
    corpus, layers = (model["start_from"][name] for name in ("corpus", "layers"))
    return f" Training started from weights ({layers}) of a model of {corpus_name(corpus)}."


def _row(metrics: dict[str, Any], name: str) -> str:
    limits = metrics["intervals"][INTERVAL_UNIT].get(name)
    interval = f"{limits['low']:.3f} to {limits['high']:.3f}" if limits else _NONE
    lookup = _number(metrics["baselines"]["lookup"].get(name))
    return f"| {_SHOWN[name][1]} | {_number(metrics[name])} | {interval} | {lookup} |"


def _number(value: float | None) -> str:
    return _NONE if value is None else f"{value:.3f}"


def _intervals(metrics: dict[str, Any]) -> str:
    shown = intervals_caption([metrics], confidence=metrics["confidence"])
    if not shown:
        return NO_LIMITS
    return f"Interval: the {shown}. {undefined_resamples([metrics])}".rstrip()


def _gain(metrics: dict[str, Any]) -> str:
    gain = metrics["gains"]["over_lookup"]["roc_auc_macro"]
    if not gain:
        return ""
    return f"This model's macro ROC-AUC is {abs(gain):.3f} {'higher' if gain > 0 else 'lower'}. "


def _licence(corpus: str) -> str:
    known = licence(corpus)
    if corpus == "demo":
        return "MIT: code, demo corpus and model."
    terms = f" The model is offered under the same terms: <{known[1]}>." if known else ""
    return f"The code: MIT. {attribution(corpus)}{terms}"
