"""Texts of captions and notes: corpus, split, models, seeds, intervals, licence."""

from typing import Any

from autotagging.corpus.paths import is_magnatagatune
from autotagging.dataset.groups import FEW_GROUPS, INTERVAL_UNIT

_CORPORA = {
    "demo": "synthetic demo corpus (not MagnaTagATune)",
    "magnatagatune": "MagnaTagATune",
}
_ATTRIBUTIONS = {
    "demo": "The clips were synthesised by this project.",
    "magnatagatune": (
        "The clips are from MagnaTagATune (Law, West, Mandel, Bay and Downie, ISMIR 2009), music "
        "by artists of Magnatune, under the licence CC BY-NC-SA 3.0: attribution, no commercial "
        "use, share alike."
    ),
}
_LICENCES = {
    "demo": ("mit", "https://spdx.org/licenses/MIT"),
    "magnatagatune": (
        "cc-by-nc-sa-3.0",
        "https://creativecommons.org/licenses/by-nc-sa/3.0/",
    ),
}
UNVERIFIED = "The tables are the published ones; the audio was not compared with the published one."
NO_LIMITS = "No intervals: all test clips are of one artist."
_MOST_NAMED = 4  # models; more are named by legends and rows
# A positive clip that is drawn twice raises the precision of every tag, and thus the mean.
BASIC = (
    "Intervals of mean average precision are basic (reverse percentile) ones, because resampling "
    "raises its values."
)


def corpus_name(corpus: str) -> str:
    """Name a corpus for readers, who must see whether it is MagnaTagATune."""
    kind = _kind(corpus)
    return corpus.replace(kind, _CORPORA.get(kind, kind), 1)


def _kind(corpus: str) -> str:
    """Title of a corpus, without what is said about own files of MagnaTagATune."""
    return "magnatagatune" if is_magnatagatune(corpus) else corpus


def all_clips(title: str) -> str:
    """Name a corpus, by its title in audio.json, for a figure of all its clips."""
    name = corpus_name(title)
    return f"{name[0].upper()}{name[1:]}, all clips"


def attribution(corpus: str) -> str:
    """State the source of a corpus's clips, and their licence."""
    kind = _kind(corpus)
    text = _ATTRIBUTIONS.get(kind, f"The clips are from {kind}; ask its owner for the licence.")
    return text if kind == corpus else f"{text} {UNVERIFIED}"


def licence(corpus: str) -> tuple[str, str] | None:
    """Give short name and address of the licence of what is made from a corpus, if it is known."""
    return _LICENCES.get(_kind(corpus))


def run_caption(runs: list[dict[str, Any]]) -> str:
    """Name corpus, split, models and seeds of runs on the same corpus and split."""
    models = list(dict.fromkeys(run["model"] for run in runs))
    seeds = sorted({run["seed"] for run in runs})
    corpus = corpus_name(runs[0]["corpus"])
    word = "seed" if len(seeds) == 1 else "seeds"
    numbers = ", ".join(map(str, seeds))
    text = f"{corpus}, split {runs[0]['split']}; {_listed(models)}, {word} {numbers}"
    return text[0].upper() + text[1:]


def _listed(models: list[str]) -> str:
    """Name models, or give their number if there are many."""
    if len(models) > _MOST_NAMED:
        return f"{len(models)} models"
    return " and ".join(filter(None, [", ".join(models[:-1]), models[-1]]))


def clips_caption(runs: list[dict[str, Any]]) -> str:
    """Name the runs, and state the number of test clips, of each model if they differ."""
    caption = run_caption(runs)
    clips = {run["model"]: run["n_clips"] for run in runs}
    if len(set(clips.values())) == 1:
        return f"{caption}; {runs[0]['n_clips']:,} test clips"
    each = ", ".join(f"{count:,} for {_listed(of)}" for count, of in _grouped(clips).items())
    return f"{caption}; test clips whose audio can be read: {each}"


def brackets(runs: list[dict[str, Any]]) -> str:
    """Say what the intervals in brackets are, or why there are none."""
    several = "; for several seeds, the mean limits" * (len({run["seed"] for run in runs}) > 1)
    shown = intervals_caption(runs, confidence=runs[0]["confidence"])
    return f"In brackets: {shown}{several}." if shown else NO_LIMITS


def lines(runs: list[dict[str, Any]]) -> str:
    """Say in a figure what its lines are; an empty text if there are none."""
    shown = intervals_caption(runs, confidence=runs[0]["confidence"])
    return f"Lines: {shown}" if shown else ""


def intervals_caption(runs: list[dict[str, Any]], *, confidence: float) -> str:
    """Name the kind of the intervals, and the number of artists that they come from.

    Returns
    -------
    caption
        An empty text if the test clips of each run are of one artist, which gives no interval.
    """
    artists = [run["intervals"][INTERVAL_UNIT]["groups"] for run in runs]
    fewest, most = min(artists), max(artists)
    if most < 2:
        return ""
    number = f"{most:,}" if fewest == most else f"{fewest:,} to {most:,}"
    only, warning = ("only ", ", so too narrow") if fewest < FEW_GROUPS else ("", "")
    return (
        f"{100 * confidence:g} % confidence interval, bootstrap over {only}{number} "
        f"{INTERVAL_UNIT}{warning}"
    )


def undefined_resamples(runs: list[dict[str, Any]], *, of_tags: bool = False) -> str:
    """Count the resamples in which a tag is undefined; an empty text for none.

    Means of these resamples are over the other tags; intervals `of_tags` are of other resamples.
    """
    shown = runs[0]["intervals"][INTERVAL_UNIT]
    without, resamples = shown["resamples_without_some_tag"], shown["resamples"]
    if not without:
        return ""
    left_out = "its interval leaves them out" if of_tags else "the mean leaves it out"
    return (
        f"In {without:,} of {resamples:,} resamples, a tag was on all clips or on none, and "
        f"{left_out}. "
    )


def not_scored(runs: list[dict[str, Any]]) -> str:
    """Name the tags that means leave out; an empty text for none."""
    tags = {run["model"]: tuple(run["tags_not_scored"]) for run in runs}
    total = runs[0]["n_tags"]
    sentences = [
        f"Means over tags use {total - len(missing)} of {total} for {_listed(models)}: all test "
        f"clips, or none, have {', '.join(missing)}. "
        for missing, models in _grouped(tags).items()
        if missing
    ]
    return "".join(sentences)


def _grouped(values: dict[str, Any]) -> dict[Any, list[str]]:
    """Give the models of each value, in order."""
    models: dict[Any, list[str]] = {}
    for model, value in values.items():
        models.setdefault(value, []).append(model)
    return models
