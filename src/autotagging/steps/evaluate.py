"""Step evaluate: score the test clips with a trained model (sec. III)."""

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
from cyclopts import Parameter

from autotagging import models
from autotagging.common.errors import UserError
from autotagging.common.files import save_arrays, write_checksums, write_csv, write_json
from autotagging.common.tables import read_table
from autotagging.common.versions import write_versions
from autotagging.dataset.groups import FEW_GROUPS, INTERVAL_UNIT, group_numbers, read_groups
from autotagging.dataset.store import MelStore
from autotagging.dataset.subsets import SUBSETS, labelled_clips
from autotagging.metrics.averages import calibration, roc_curves
from autotagging.metrics.bootstrap import Areas, resample_areas
from autotagging.metrics.breakdown import (
    choice_of_epochs,
    table_of_categories,
    table_of_epochs,
    table_of_tags,
)
from autotagging.metrics.intervals import Resampled, resample, sampling_units
from autotagging.metrics.rounding import rounded
from autotagging.metrics.scores import Scores, TestSet
from autotagging.metrics.scoring import score_audio_blind, score_network, score_tables
from autotagging.metrics.settings import Bootstrap, EvaluationSettings
from autotagging.metrics.summary import summarise
from autotagging.metrics.validation import validation_summary
from autotagging.models.stored import StoredModel, check_data, check_front_end, load_model
from autotagging.training.checkpoints import discard

LIBRARIES = ("scikit-learn", "scipy")
_RECORD = ("model", "seed", "corpus", "split", "synonyms", "best_epoch", "epochs")


@dataclass(frozen=True)
class EvaluationData:
    """Data that a model is evaluated on.

    Attributes
    ----------
    labels
        labels.csv of merge_tags: each clip's tags.
    tags
        tags.csv of merge_tags, which has the categories.
    split
        split.csv of split: each clip's subset.
    groups
        groups.csv of download: each clip's track, album and artist.
    mel
        summary.csv of extract_mel, for a model that reads spectrograms.
    front_end
        front_end.json of extract_mel, for a model that reads spectrograms.
    """

    labels: Path
    tags: Path
    split: Path
    groups: Path
    mel: Path | None = None
    front_end: Path | None = None


@dataclass(frozen=True)
class EvaluationFiles:
    """Files to write an evaluation to.

    Attributes
    ----------
    predictions
        Output: arrays clip_id, track, artist, scores and labels of the test clips;
        validation_clip_id, validation_scores, validation_labels; tags, and thresholds of the tags.
    metrics
        Output: all averages, their confidence intervals, metrics of other epochs, baselines, and
        the macro ROC-AUC on the validation clips.
    per_tag
        Output: areas, and precision, recall and F1 of each tag; its test clips and artists.
    per_category
        Output: areas averaged over the tags of each category, and gains over the baseline lookup.
    per_epoch
        Output: test metrics of the weights after each kept epoch, which no choice depends on.
    roc
        Output: ROC curves: fpr, and the true positive rates macro and micro.
    calibration
        Output: mean score and share of right tags in each bin.
    versions
        Output: versions of the libraries that made the results.
    checksums
        Output: SHA-256 of the other files.
    """

    predictions: Path
    metrics: Path
    per_tag: Path
    per_category: Path
    per_epoch: Path
    roc: Path
    calibration: Path
    versions: Path
    checksums: Path


def evaluate(
    *,
    model_json: Path,
    data: Annotated[EvaluationData, Parameter(name="*")],
    settings: Annotated[EvaluationSettings, Parameter(name="*")],
    bootstrap: Annotated[Bootstrap, Parameter(name="*")],
    pseudo_count: float,
    batch_size: int,
    threads: int,
    files: Annotated[EvaluationFiles, Parameter(name="*")],
    unfinished: Path | None = None,
) -> None:
    """Score the test clips with a trained model.

    Parameters
    ----------
    model_json
        model.json of train, next to weights.npz and epochs.npz.
    pseudo_count
        Weight of the wider level in the lookup baseline, as a number of clips.
    batch_size
        Clips per scoring step.
    threads
        Number of CPU threads.
    unfinished
        Folder of the checkpoints of train; those of this model are deleted at the end.
    """
    stored = load_model(model_json)
    check_data(stored, labels=data.labels, split=data.split)
    store = _open_store(stored, data)
    available = store.clip_ids if store else None
    subsets = labelled_clips(data.labels, data.split, subsets=SUBSETS, available=available)
    groups = read_groups(data.groups)
    if store:
        scores, others = score_network(
            stored, store, subsets, batch_size=batch_size, threads=threads
        )
    else:
        scores, others = score_tables(stored, groups, subsets), []
    prior, lookup = score_audio_blind(subsets, groups, pseudo_count=pseudo_count)

    test, validation = subsets["test"], subsets["validation"]
    test_set = TestSet(
        tags=test.columns.tolist(),
        test=test.to_numpy(np.uint8),
        validation=validation.to_numpy(np.uint8),
        settings=settings,
    )
    by_epoch = table_of_epochs(test_set, scores, others, stored.description)
    track, artist = (group_numbers(groups, level, test.index) for level in ("track", "artist"))
    resampled = {
        unit: (resample(test_set, scores, drawn), resample_areas(test_set.test, lookup.test, drawn))
        for unit, drawn in sampling_units(track, artist, bootstrap).items()
    }
    metrics = {
        **{name: stored.description[name] for name in _RECORD if name in stored.description},
        **summarise(test_set, scores, lookup, prior, resampled, confidence=bootstrap.confidence),
        "validation": validation_summary(
            test_set.validation,
            scores.validation,
            group_numbers(groups, "artist", validation.index),
            bootstrap,
        ),
        "epoch_choices": choice_of_epochs(by_epoch),
    }

    write_json(rounded(metrics), files.metrics)
    write_csv(rounded(by_epoch), files.per_epoch)
    categories = _categories(data.tags, test.columns)
    _write_tables(test_set, scores, categories, artist, resampled, bootstrap.confidence, files)
    clips = {"clip_id": test.index.to_numpy(), "track": track, "artist": artist}
    _write_predictions(test_set, scores, clips, validation.index, files.predictions)
    write_versions(files.versions, *LIBRARIES, *models.libraries(stored.description["model"]))
    write_checksums(files.checksums, vars(files).values())
    if unfinished:
        discard(unfinished, weights_sha256=stored.description["weights_sha256"])
    print(_headline(stored.description, metrics), file=sys.stderr)


def _open_store(stored: StoredModel, data: EvaluationData) -> MelStore | None:
    """Open the spectrograms for a model that reads them, and check them against its training."""
    name = stored.description["model"]
    if not models.reads_spectrograms(name):
        return None
    summary = models.required(data.mel, "--mel", name)
    settings = models.required(data.front_end, "--front-end", name)
    check_front_end(stored.path, stored.description["front_end"], settings)
    return MelStore(summary)


def _categories(path: Path, tags: Iterable[str]) -> list[str]:
    """Read the category of each tag."""
    category = read_table(path, {"tag": str, "category": str}, key="tag")["category"]
    if not set(tags) <= set(category.index):
        raise UserError(f"{path}: not the categories of these tags; run merge_tags again")
    return category.loc[[*tags]].tolist()


def _write_tables(
    test_set: TestSet,
    scores: Scores,
    categories: list[str],
    artist: np.ndarray,
    resampled: Mapping[str, tuple[Resampled, Areas]],
    confidence: float,
    files: EvaluationFiles,
) -> None:
    of_model = {unit: model for unit, (model, _) in resampled.items()}
    by_tag = table_of_tags(test_set, scores, categories, artist, of_model, confidence=confidence)
    by_category = table_of_categories(by_tag, resampled, confidence=confidence)
    bins = calibration(test_set.test, scores.test, bins=test_set.settings.calibration_bins)
    write_csv(rounded(by_tag), files.per_tag)
    write_csv(rounded(by_category), files.per_category)
    write_csv(rounded(roc_curves(test_set.test, scores.test)), files.roc)
    write_csv(rounded(bins), files.calibration)


def _write_predictions(
    test_set: TestSet,
    scores: Scores,
    clips: Mapping[str, np.ndarray],
    validation: pd.Index,
    path: Path,
) -> None:
    arrays = {
        **clips,
        "scores": scores.test,
        "labels": test_set.test,
        "validation_clip_id": validation.to_numpy(),
        "validation_scores": scores.validation,
        "validation_labels": test_set.validation,
        "tags": np.array(test_set.tags),
        "thresholds": test_set.tag_thresholds(scores),
    }
    save_arrays(path, arrays)


def _headline(model: dict[str, Any], metrics: dict[str, Any]) -> str:
    auc, intervals = metrics["roc_auc_macro"], metrics["intervals"][INTERVAL_UNIT]
    limits, artists = intervals["roc_auc_macro"], intervals["groups"]
    shown = "undefined" if auc is None else f"{auc:.3f}"
    if limits:
        shown += f" ({limits['low']:.3f} to {limits['high']:.3f})"
    line = (
        f"{model['model']}, seed {model['seed']}: test macro ROC-AUC {shown} over "
        f"{metrics['n_tags_scored']} of {metrics['n_tags']} tags, {metrics['n_clips']} clips, "
        f"{artists} artist{'s' * (artists != 1)}"
    )
    if artists < FEW_GROUPS:
        line += ", so few that intervals are too narrow" if artists > 1 else ", so no interval"
    if skipped := metrics["tags_not_scored"]:
        line += f"; not scored, because positives or negatives are missing: {', '.join(skipped)}"
    return line
