"""Scores of the clips, by a stored model and by the audio-blind baselines (sec. III)."""

import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from autotagging import models
from autotagging.dataset.store import MelStore
from autotagging.metrics.scores import Scores
from autotagging.models.lookup import fit_lookup, score_lookup
from autotagging.models.stored import (
    StoredModel,
    build_network,
    load_epochs,
    of_features,
    set_weights,
)
from autotagging.training.epoch_metrics import smoothed_prior
from autotagging.training.feature_file import transformed
from autotagging.training.features import limit_linear_algebra


def score_network(
    stored: StoredModel,
    store: MelStore,
    subsets: Mapping[str, pd.DataFrame],
    *,
    batch_size: int,
    threads: int,
) -> tuple[Scores, Iterator[tuple[int, np.ndarray]]]:
    """Score the clips with a network.

    Parameters
    ----------
    stored
        The model, whose network reads spectrograms.
    store
        Spectrograms of the clips.
    subsets : (clips, tags)
        Labels of "test" and "validation", indexed by clip_id.
    batch_size
        Clips per scoring step.
    threads
        Number of CPU threads.

    Returns
    -------
    scores
        Scores with the weights of the best epoch.
    others
        Numbers of the other kept epochs, from 1, and their scores of the test clips, (clips, tags);
        computed one after the other.
    """
    from autotagging.training.devices import full_memory_explained, prepare
    from autotagging.training.step import make_scorer

    devices = prepare(seed=stored.description["seed"], threads=threads)
    print(f"scoring on {devices.label}", file=sys.stderr)
    memory_explained = partial(full_memory_explained, "set a lower evaluate.batch_size")
    with memory_explained():
        network = build_network(stored)
    score = make_scorer(network)
    gather = _inputs(stored, store)

    @memory_explained()
    def scores(subset: str) -> np.ndarray:
        found = score(subsets[subset].index, gather, batch_size=batch_size)
        models.check_scores(stored.description["model"], found)
        return found

    def others() -> Iterator[tuple[int, np.ndarray]]:
        for epoch, weights in load_epochs(stored).items():
            if epoch != stored.description["best_epoch"]:
                set_weights(network, weights)
                yield epoch, scores("test")

    return Scores(scores("test"), scores("validation")), others()


def _inputs(stored: StoredModel, store: MelStore) -> Callable[[np.ndarray], np.ndarray]:
    """Make the function from clip ids to the inputs of a stored network."""
    name, options = (stored.description[entry] for entry in ("model", "options"))
    if models.reads(name) == "features":
        limit_linear_algebra()
        model, arrays = models.feature_model(name, **options), of_features(stored.arrays)
        return transformed(store.gather, lambda mel: model.transform(mel, arrays))
    if cut := models.windows(options):
        return lambda clip_ids: cut.even(store.gather(clip_ids))
    return store.gather


def score_tables(
    stored: StoredModel, groups: pd.DataFrame, subsets: Mapping[str, pd.DataFrame]
) -> Scores:
    """Score the clips with a model that reads tables.

    Parameters
    ----------
    stored
        The model.
    groups : (clips, 3)
        track, album and artist, indexed by clip_id.
    subsets
        See `score_network`.
    """
    model, options = (stored.description[entry] for entry in ("model", "options"))
    score = models.table_model(model, **options).score
    scores = _score_groups(score, stored.arrays, groups, subsets)
    for each in (scores.test, scores.validation):
        models.check_scores(model, each)
    return scores


def score_audio_blind(
    subsets: Mapping[str, pd.DataFrame], groups: pd.DataFrame, *, pseudo_count: float
) -> tuple[np.ndarray, Scores]:
    """Fit the baselines to the training labels, and score the other clips.

    Parameters
    ----------
    subsets : (clips, tags)
        Labels of "train"; those of "test" and "validation", of which only the index is read.
    groups
        See `score_tables`.
    pseudo_count
        Weight of the wider level in lookup, as a number of clips.

    Returns
    -------
    prior : (tags,)
        Share of the training clips with the tag, smoothed.
    lookup
        Scores of `lookup`.
    """
    train = subsets["train"]
    counts = fit_lookup(train, groups)
    lookup = _score_groups(score_lookup, counts, groups, subsets, pseudo_count=pseudo_count)
    return smoothed_prior(train.to_numpy()), lookup


def _score_groups(
    score: Callable[..., np.ndarray],
    arrays: Mapping[str, np.ndarray],
    groups: pd.DataFrame,
    subsets: Mapping[str, pd.DataFrame],
    **options: Any,
) -> Scores:
    test, validation = (
        score(arrays, groups.reindex(subsets[name].index), **options)
        for name in ("test", "validation")
    )
    return Scores(test, validation)
