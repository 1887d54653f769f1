"""Step evaluate: score the test clips with a trained model (sec. III)."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from autotagging import metrics as measures
from autotagging import models
from autotagging.annotations import read_clip_info
from autotagging.errors import UserError
from autotagging.files import save_arrays, write_csv, write_json
from autotagging.modelfile import StoredModel, build_network, check_front_end, load_model
from autotagging.models.lookup import score_lookup
from autotagging.partition import SUBSETS
from autotagging.store import MelStore, labelled_clips


def evaluate(
    *,
    model_json: Path,
    labels: Path,
    split: Path,
    mel: Path | None = None,
    front_end: Path | None = None,
    clip_info: Path | None = None,
    threshold: float,
    batch_size: int,
    threads: int,
    predictions: Path,
    metrics: Path,
    per_tag: Path,
    roc: Path,
) -> None:
    """Score the test clips with a trained model.

    Parameters
    ----------
    model_json
        The model, from train; its weights.npz lies beside it.
    labels
        Labels of merge_tags.
    split
        split.csv.
    mel
        summary.csv and front_end.json of extract_mel, for a model that listens.
    front_end
        summary.csv and front_end.json of extract_mel, for a model that listens.
    clip_info
        clip_info_final.csv of the corpus, for a model that reads tables.
    threshold
        A score above it decides for the tag.
    batch_size
        Clips a step.
    threads
        Of the processor.
    predictions
        Output: arrays clip_id, scores, labels, tags.
    metrics
        Output: all averages, and what the same clips give without listening.
    per_tag
        Output: tag, positives, roc_auc, pr_auc.
    roc
        Output: fpr, and the true positive rates macro and micro.
    """
    stored = load_model(model_json)
    model = stored.description
    if models.reads(model["model"]) == "mel":
        summary_csv = models.required(mel, "--mel", model["model"])
        settings = models.required(front_end, "--front-end", model["model"])
        check_front_end(model_json, model["front_end"], settings)
        subsets, scores = _score_network(stored, labels, split, summary_csv, batch_size, threads)
    else:
        subsets = labelled_clips(labels, split, subsets=SUBSETS)
        info = read_clip_info(models.required(clip_info, "--clip-info", model["model"]))
        groups = info.set_index("clip_id").reindex(subsets["test"].index)
        scores = score_lookup(stored.arrays, groups, **model["options"])
    test = subsets["test"]
    if test.columns.tolist() != model["tags"]:
        raise UserError(f"{labels}: the tags are not those of {model_json}; train again")

    truth = test.to_numpy(np.uint8)
    summary = measures.evaluate(truth, scores, model["tags"], threshold=threshold)
    prior = measures.smoothed_prior(subsets["train"].to_numpy())
    copied = ("model", "seed", "corpus", "split", "synonyms", "best_epoch", "epochs")
    write_json(
        {
            **{name: model[name] for name in copied if name in model},
            **summary,
            "baselines": measures.baselines(truth, prior, threshold=threshold),
        },
        metrics,
    )
    write_csv(measures.per_tag(truth, scores, model["tags"]), per_tag)
    write_csv(measures.roc_curves(truth, scores), roc)
    answers = {"scores": scores, "labels": truth, "tags": np.array(model["tags"])}
    save_arrays(predictions, {"clip_id": test.index.to_numpy(), **answers})
    print(_headline(model, summary), file=sys.stderr)


def _score_network(
    stored: StoredModel,
    labels: Path,
    split: Path,
    mel: Path,
    batch_size: int,
    threads: int,
) -> tuple[dict[str, pd.DataFrame], np.ndarray]:
    """Read the subsets' labels and score the test clips, (clips, tags)."""
    from autotagging import training

    store = MelStore(mel)
    subsets = labelled_clips(labels, split, subsets=SUBSETS, available=store.clip_ids)
    training.prepare(seed=stored.description["seed"], threads=threads)
    score = training.make_scorer(build_network(stored))
    return subsets, score(subsets["test"].index, store.gather, batch_size=batch_size)


def _headline(model: dict, summary: dict) -> str:
    auc = summary["roc_auc_macro"]
    shown = "undefined" if auc is None else f"{auc:.3f}"
    line = (
        f"{model['model']}, seed {model['seed']}: test macro ROC-AUC {shown} over "
        f"{summary['n_tags_scored']} of {summary['n_tags']} tags, {summary['n_clips']} clips"
    )
    if skipped := summary["tags_not_scored"]:
        line += f"; not scored, for want of positives or negatives: {', '.join(skipped)}"
    return line
