"""What captions say of the data below them: corpus, split, models, seeds, intervals, licence."""

from typing import Any

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
# A positive that is drawn twice raises the precision, in every tag, and the mean shows it.
MIRRORED = "Intervals of mean average precisions are mirrored, as resampling raises these."


def corpus_name(corpus: str) -> str:
    """Name a corpus for a reader: whether it is MagnaTagATune must be plain."""
    return _CORPORA.get(corpus, corpus)


def all_clips(title: str) -> str:
    """Name a corpus, by its title in audio.json, where a figure is of all its clips."""
    name = corpus_name(title)
    return f"{name[0].upper()}{name[1:]}, all clips"


def attribution(corpus: str) -> str:
    """Say where the clips of a corpus come from, and under what licence."""
    return _ATTRIBUTIONS.get(corpus, f"The clips are from {corpus}; its owner knows their licence.")


def run_caption(runs: list[dict[str, Any]]) -> str:
    """Name corpus, split, models and seeds of runs that share the first two."""
    models = list(dict.fromkeys(run["model"] for run in runs))
    seeds = sorted({run["seed"] for run in runs})
    corpus = corpus_name(runs[0]["corpus"])
    word = "seed" if len(seeds) == 1 else "seeds"
    listed = " and ".join(filter(None, [", ".join(models[:-1]), models[-1]]))
    text = f"{corpus}, split {runs[0]['split']}; {listed}, {word} {', '.join(map(str, seeds))}"
    return text[0].upper() + text[1:]


def clips_caption(runs: list[dict[str, Any]]) -> str:
    """Name the runs, and say of which test clips they are, where not all of the same."""
    caption = run_caption(runs)
    clips = {run["model"]: run["n_clips"] for run in runs}
    if len(set(clips.values())) == 1:
        return f"{caption}; {runs[0]['n_clips']:,} test clips"
    each = ", ".join(f"{count:,} of {model}" for model, count in clips.items())
    return f"{caption}; test clips whose audio can be read: {each}"


def brackets(runs: list[dict[str, Any]]) -> str:
    """Say what intervals are of, and what they lack."""
    by_tracks = runs[0]["intervals"]["tracks"]
    without, resamples = by_tracks["resamples_without_some_tag"], by_tracks["resamples"]
    several = "; of several seeds, the mean of their limits" * (len({r["seed"] for r in runs}) > 1)
    lacking = (
        f" In {without:,} of {resamples:,} resamples some tag was on none, or all, of the clips, "
        "and not in the mean."
        if without
        else ""
    )
    percent = f"{100 * runs[0]['confidence']:g}"
    return f"In brackets: interval of {percent} %, by the bootstrap over tracks{several}.{lacking}"


def not_scored(runs: list[dict[str, Any]]) -> str:
    """Name the tags that are left out of means."""
    sentences = [
        f"Means over tags are over {run['n_tags_scored']} of {run['n_tags']} for {run['model']}: "
        f"all test clips, or none, have {', '.join(run['tags_not_scored'])}. "
        for run in {run["model"]: run for run in runs}.values()
        if run["tags_not_scored"]
    ]
    return "".join(sentences)
