"""Step evaluate: score the test clips with a trained model (sec. III)."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from autotagging import models
from autotagging.common.errors import UserError
from autotagging.common.files import save_arrays, write_csv, write_json
from autotagging.corpus.tables import read_clip_info
from autotagging.dataset.store import MelStore, labelled_clips
from autotagging.labels.partition import SUBSETS
from autotagging.metrics.averages import calibration as reliability
from autotagging.metrics.averages import roc_curves
from autotagging.metrics.bootstrap import resample_areas
from autotagging.metrics.breakdown import (
    choice_of_epochs,
    table_of_categories,
    table_of_epochs,
    table_of_tags,
)
from autotagging.metrics.test_set import Answer, Questions, resample, sampling_units, summarise
from autotagging.models.lookup import fit_lookup, score_lookup
from autotagging.models.stored import (
    StoredModel,
    build_network,
    check_front_end,
    load_epochs,
    load_model,
    set_weights,
)
from autotagging.training.epoch_metrics import smoothed_prior

_RECORD = ("model", "seed", "corpus", "split", "synonyms", "best_epoch", "epochs")


def evaluate(
    *,
    model_json: Path,
    labels: Path,
    tags: Path,
    split: Path,
    clip_info: Path,
    mel: Path | None = None,
    front_end: Path | None = None,
    pseudo_count: float,
    threshold: float,
    precision_at: list[int],
    calibration_bins: int,
    resamples: int,
    confidence: float,
    bootstrap_seed: int,
    batch_size: int,
    threads: int,
    predictions: Path,
    metrics: Path,
    per_tag: Path,
    per_category: Path,
    per_epoch: Path,
    roc: Path,
    calibration: Path,
) -> None:
    """Score the test clips with a trained model.

    Parameters
    ----------
    model_json
        The model, from train; its weights.npz and epochs.npz lie beside it.
    labels
        Labels of merge_tags.
    tags
        tags.csv of merge_tags, for the categories.
    split
        split.csv.
    clip_info
        clip_info_final.csv of the corpus: which clips are of one track, album and artist.
    mel
        summary.csv and front_end.json of extract_mel, for a model that listens.
    front_end
        summary.csv and front_end.json of extract_mel, for a model that listens.
    pseudo_count
        Of the baseline that looks tags up.
    threshold
        A score above it decides for the tag.
    precision_at
        How many tags of highest score to look at, for each precision wanted.
    calibration_bins
        Scores are compared with the share of right tags in so many bins.
    resamples
        Of the clips, and of the tracks, for the confidence intervals.
    confidence
        Share of the resamples that lies within the intervals.
    bootstrap_seed
        The same seed draws the same clips for every model.
    batch_size
        Clips a step.
    threads
        Of the processor.
    predictions
        Output: arrays clip_id, track, scores and labels of the test clips; validation_clip_id,
        validation_scores, validation_labels; tags, and the threshold of each.
    metrics
        Output: all averages, their confidence intervals, other epochs, and baselines.
    per_tag
        Output: areas and decisions of each tag.
    per_category
        Output: areas averaged over the tags of each category.
    per_epoch
        Output: what each kept epoch scores on the test clips; none of it chooses anything.
    roc
        Output: fpr, and the true positive rates macro and micro.
    calibration
        Output: mean score and share of right tags in each bin.
    """
    stored = load_model(model_json)
    store = _open_store(stored, mel, front_end)
    available = store.clip_ids if store else None
    subsets = labelled_clips(labels, split, subsets=SUBSETS, available=available)
    test, validation = subsets["test"], subsets["validation"]
    if test.columns.tolist() != stored.description["tags"]:
        raise UserError(f"{labels}: the tags are not those of {model_json}; train again")
    categories = _categories(tags, test.columns)
    questions = Questions(
        tags=test.columns.tolist(),
        test=test.to_numpy(np.uint8),
        validation=validation.to_numpy(np.uint8),
        threshold=threshold,
        precision_at=precision_at,
        calibration_bins=calibration_bins,
    )
    groups = read_clip_info(clip_info).set_index("clip_id")
    if store:
        model, others = _score_network(stored, store, subsets, batch_size, threads)
    else:
        model, others = (
            _look_up(stored.arrays, groups, subsets, **stored.description["options"]),
            [],
        )
    by_epoch = table_of_epochs(questions, model, others, stored.description)
    counts = fit_lookup(subsets["train"], groups)
    lookup = _look_up(counts, groups, subsets, pseudo_count=pseudo_count)

    track = _tracks(test.index, groups)
    units = sampling_units(track, resamples=resamples, seed=bootstrap_seed)
    resampled = {unit: resample(questions, model, drawn) for unit, drawn in units.items()}
    reference = {
        unit: resample_areas(questions.test, lookup.test, drawn) for unit, drawn in units.items()
    }
    prior = smoothed_prior(subsets["train"].to_numpy())
    spread = {unit: (resampled[unit], reference[unit]) for unit in units}
    summary = summarise(questions, model, lookup, prior, spread, confidence=confidence)
    record = {name: stored.description[name] for name in _RECORD if name in stored.description}
    write_json({**record, **summary, "epoch_choices": choice_of_epochs(by_epoch)}, metrics)
    by_tag = table_of_tags(questions, model, categories, resampled, confidence=confidence)
    write_csv(by_tag, per_tag)
    write_csv(table_of_categories(by_tag, resampled, confidence=confidence), per_category)
    write_csv(roc_curves(questions.test, model.test), roc)
    write_csv(reliability(questions.test, model.test, bins=calibration_bins), calibration)
    write_csv(by_epoch, per_epoch)
    arrays = {
        **{"clip_id": test.index.to_numpy(), "track": track},
        **{"scores": model.test, "labels": questions.test},
        "validation_clip_id": validation.index.to_numpy(),
        **{"validation_scores": model.validation, "validation_labels": questions.validation},
        **{"tags": np.array(questions.tags), "thresholds": questions.tag_thresholds(model)},
    }
    save_arrays(predictions, arrays)
    print(_headline(stored.description, summary), file=sys.stderr)


def _open_store(stored: StoredModel, mel: Path | None, front_end: Path | None) -> MelStore | None:
    """Open the spectrograms for a model that listens, if they are such as it was trained on."""
    name = stored.description["model"]
    if models.reads(name) != "mel":
        return None
    summary = models.required(mel, "--mel", name)
    settings = models.required(front_end, "--front-end", name)
    check_front_end(stored.path, stored.description["front_end"], settings)
    return MelStore(summary)


def _categories(path: Path, tags: Iterable[str]) -> list[str]:
    """Read the category of each tag."""
    table = pd.read_csv(path)
    if not {"tag", "category"}.issubset(table) or not set(tags).issubset(table["tag"]):
        raise UserError(f"{path}: not the categories of these tags; run merge_tags again")
    return table.set_index("tag")["category"].loc[[*tags]].tolist()


def _look_up(
    counts: Mapping[str, np.ndarray],
    groups: pd.DataFrame,
    subsets: Mapping[str, pd.DataFrame],
    *,
    pseudo_count: float,
) -> Answer:
    """Answer by the tags of the training clips of the same track, album and artist."""
    test, validation = (
        score_lookup(counts, groups.reindex(subsets[name].index), pseudo_count=pseudo_count)
        for name in ("test", "validation")
    )
    return Answer(test, validation)


def _score_network(
    stored: StoredModel,
    store: MelStore,
    subsets: Mapping[str, pd.DataFrame],
    batch_size: int,
    threads: int,
) -> tuple[Answer, Iterator[tuple[int, np.ndarray]]]:
    """Answer with the best epoch's weights, and give what each other kept epoch's score."""
    from autotagging.training import loop as training

    training.prepare(seed=stored.description["seed"], threads=threads)
    network = build_network(stored)
    score = training.make_scorer(network)

    def scores(subset: str) -> np.ndarray:
        return score(subsets[subset].index, store.gather, batch_size=batch_size)

    def others() -> Iterator[tuple[int, np.ndarray]]:
        for epoch, weights in load_epochs(stored).items():
            if epoch != stored.description["best_epoch"]:
                set_weights(network, weights)
                yield epoch, scores("test")

    return Answer(scores("test"), scores("validation")), others()


def _tracks(clip_ids: pd.Index, groups: pd.DataFrame) -> np.ndarray:
    """Give each clip its track's number, the same for every model; one of its own if unknown."""
    numbers = pd.Series(pd.factorize(groups["track"])[0], index=groups.index).reindex(clip_ids)
    return np.where(numbers.isna(), -1 - clip_ids, numbers).astype(np.int64)


def _headline(model: dict[str, Any], summary: dict[str, Any]) -> str:
    auc, limits = summary["roc_auc_macro"], summary["intervals"]["tracks"]["roc_auc_macro"]
    shown = "undefined" if auc is None else f"{auc:.3f}"
    if limits:
        shown += f" ({limits['low']:.3f} to {limits['high']:.3f})"
    line = (
        f"{model['model']}, seed {model['seed']}: test macro ROC-AUC {shown} over "
        f"{summary['n_tags_scored']} of {summary['n_tags']} tags, {summary['n_clips']} clips"
    )
    if skipped := summary["tags_not_scored"]:
        line += f"; not scored, for want of positives or negatives: {', '.join(skipped)}"
    return line
