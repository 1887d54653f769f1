"""Scores and intervals of the audio-blind baseline on MagnaTagATune, for each scheme of the split.

Usage: python benchmarks/lookup.py FOLDER [--seed 1], from the top of the repository. FOLDER has the
two official tables (.csv or .csv.gz); the seed is that of the splits.
"""

import argparse
from pathlib import Path

import numpy as np
import yaml

from autotagging.corpus.paths import ANNOTATIONS, CLIP_INFO
from autotagging.corpus.tables import find_table, read_annotations, read_clip_info
from autotagging.dataset.groups import group_numbers
from autotagging.dataset.subsets import SUBSETS
from autotagging.labels.partition import leakage
from autotagging.labels.tags import merge_synonyms, most_frequent
from autotagging.metrics.averages import evaluate
from autotagging.metrics.bootstrap import Sampling, interval, mean_over_tags, resample_areas
from autotagging.metrics.intervals import sampling_units
from autotagging.metrics.settings import Bootstrap
from autotagging.models.lookup import fit_lookup, score_lookup
from autotagging.tools.data_card import EMPTY_CLIPS, split_by_each_scheme

SETTINGS = ("resamples", "confidence", "seed")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder with the two official tables")
    parser.add_argument("--seed", type=int, help="seed of the splits; params.yaml's by default")
    chosen = parser.parse_args()
    print_scores(chosen.folder, chosen.seed)


def print_scores(folder: Path, seed: int | None) -> None:
    params = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))
    synonyms = yaml.safe_load(Path("workflow/resources/tags.yaml").read_text(encoding="utf-8"))[
        "synonyms"
    ]
    annotations = read_annotations(find_table(folder, ANNOTATIONS)).set_index("clip_id")
    annotations = annotations.drop(index=EMPTY_CLIPS)
    groups = read_clip_info(find_table(folder, CLIP_INFO)).set_index("clip_id")
    merged = merge_synonyms(annotations.drop(columns="mp3_path"), synonyms)
    labels = merged[most_frequent(merged, params["merge_tags"]["n_tags"])]

    weights = {name: params["split"][name] for name in SUBSETS}
    how = {"weights": weights, "seed": params["split"]["seed"] if seed is None else seed}
    splits = split_by_each_scheme(annotations["mp3_path"], labels, groups, **how)
    bootstrap = Bootstrap(*(params["evaluate"]["bootstrap"][name] for name in SETTINGS))

    metrics = {}
    print("| split | train / validation / test | track | album | artist | macro ROC-AUC |", end="")
    print(" by clips | by tracks | by artists |")
    print("| --- | --- | ---: | ---: | ---: | ---: | --- | --- | --- |")
    for scheme, subset in splits.items():
        sizes = " / ".join(str((subset == name).sum()) for name in weights)
        shares = " | ".join(f"{share:.1%}" for share in leakage(subset, groups)["share"])
        counts = fit_lookup(labels[subset == "train"], groups)
        test = labels[subset == "test"]
        scores = score_lookup(counts, groups.reindex(test.index), **params["train"]["lookup"])
        metrics[scheme] = evaluate(test.to_numpy(), scores, list(test))
        auc = metrics[scheme]["roc_auc_macro"]
        numbers = [group_numbers(groups, level, test.index) for level in ("track", "artist")]
        limits = " | ".join(
            "{:.3f} to {:.3f}".format(*_limits(test.to_numpy(), scores, sampling, bootstrap))
            for sampling in sampling_units(*numbers, bootstrap).values()
        )
        print(f"| {scheme} | {sizes} | {shares} | {auc:.3f} | {limits} |")

    print("\n| split | ROC-AUC: macro | micro | per clip | loss | accuracy |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    names = ("roc_auc_macro", "roc_auc_micro", "roc_auc_samples", "loss")
    for scheme, found in metrics.items():
        numbers = " | ".join(f"{found[name]:.3f}" for name in names)
        print(f"| {scheme} | {numbers} | {found['accuracy']:.2%} |")


def _limits(
    labels: np.ndarray, scores: np.ndarray, sampling: Sampling, bootstrap: Bootstrap
) -> np.ndarray:
    """Give the limits of the macro ROC-AUC: (2,)."""
    means = mean_over_tags(resample_areas(labels, scores, sampling).roc_auc)
    return interval(means, confidence=bootstrap.confidence)


if __name__ == "__main__":
    main()
