"""Scores and intervals of the audio-blind baseline on MagnaTagATune, for each scheme of the split.

Usage: python benchmarks/lookup.py FOLDER [--seeds 100], from the top of the repository. FOLDER has
the two official tables (.csv or .csv.gz); with --seeds, the random splits of so many seeds follow.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from autotagging.corpus.paths import ANNOTATIONS, CLIP_INFO
from autotagging.corpus.tables import find_table, read_annotations, read_clip_info
from autotagging.dataset.groups import group_numbers
from autotagging.dataset.subsets import SUBSETS
from autotagging.labels.partition import leakage, random_split
from autotagging.labels.tags import merge_synonyms, most_frequent
from autotagging.metrics.averages import evaluate
from autotagging.metrics.bootstrap import Sampling, interval, mean_over_tags, resample_areas
from autotagging.metrics.intervals import sampling_units
from autotagging.metrics.settings import Bootstrap
from autotagging.models.lookup import fit_lookup, score_lookup
from autotagging.tools.data_card import EMPTY_CLIPS, split_by_each_scheme

SETTINGS = ("resamples", "confidence", "seed")


_AVERAGES = ("roc_auc_macro", "roc_auc_micro", "roc_auc_samples", "loss")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder with the two official tables")
    parser.add_argument("--seeds", type=int, default=0, help="random splits to print, from seed 0")
    chosen = parser.parse_args()
    params = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))
    mp3_paths, labels, groups = _read(chosen.folder, params)
    _print_schemes(mp3_paths, labels, groups, params)
    if chosen.seeds:
        _print_seeds(labels, groups, params, n_seeds=chosen.seeds)


def _read(folder: Path, params: dict[str, Any]) -> tuple[pd.Series, pd.DataFrame, pd.DataFrame]:
    """Give path, tags, and groups of the readable clips."""
    synonyms = yaml.safe_load(Path("workflow/resources/tags.yaml").read_text(encoding="utf-8"))[
        "synonyms"
    ]
    annotations = read_annotations(find_table(folder, ANNOTATIONS)).set_index("clip_id")
    annotations = annotations.drop(index=EMPTY_CLIPS)
    groups = read_clip_info(find_table(folder, CLIP_INFO)).set_index("clip_id")
    merged = merge_synonyms(annotations.drop(columns="mp3_path"), synonyms)
    labels = merged[most_frequent(merged, params["merge_tags"]["n_tags"])]
    return annotations["mp3_path"], labels, groups


def _print_schemes(
    mp3_paths: pd.Series, labels: pd.DataFrame, groups: pd.DataFrame, params: dict[str, Any]
) -> None:
    weights, seed = _weights(params), params["split"]["seed"]
    splits = split_by_each_scheme(mp3_paths, labels, groups, weights=weights, seed=seed)
    bootstrap = Bootstrap(*(params["evaluate"]["bootstrap"][name] for name in SETTINGS))
    metrics = {}
    print("| split | train / validation / test | track | album | artist | macro ROC-AUC |", end="")
    print(" by clips | by tracks | by artists |")
    print("| --- | --- | ---: | ---: | ---: | ---: | --- | --- | --- |")
    for scheme, subset in splits.items():
        sizes = " / ".join(str((subset == name).sum()) for name in weights)
        shares = " | ".join(f"{share:.1%}" for share in leakage(subset, groups)["share"])
        test, scores = _score(subset, labels, groups, params)
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
    for scheme, found in metrics.items():
        numbers = " | ".join(f"{found[name]:.3f}" for name in _AVERAGES)
        print(f"| {scheme} | {numbers} | {found['accuracy']:.2%} |")


def _print_seeds(
    labels: pd.DataFrame, groups: pd.DataFrame, params: dict[str, Any], *, n_seeds: int
) -> None:
    """Print the averages' least, mean and greatest over the random splits of seeds from 0."""
    found = []
    for seed in range(n_seeds):
        subset = random_split(labels.index, weights=_weights(params), seed=seed)
        test, scores = _score(subset, labels, groups, params)
        found.append(evaluate(test.to_numpy(), scores, list(test)))
    print(f"\n| seeds 0 to {n_seeds - 1} | ROC-AUC: macro | micro | per clip | loss | accuracy |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    over_seeds = pd.DataFrame(found)
    for name, values in over_seeds[[*_AVERAGES, "accuracy"]].agg(["min", "mean", "max"]).iterrows():
        numbers = " | ".join(f"{values[average]:.4f}" for average in _AVERAGES)
        print(f"| {name} | {numbers} | {values['accuracy']:.2%} |")


def _weights(params: dict[str, Any]) -> dict[str, int]:
    return {name: params["split"][name] for name in SUBSETS}


def _score(
    subset: pd.Series, labels: pd.DataFrame, groups: pd.DataFrame, params: dict[str, Any]
) -> tuple[pd.DataFrame, np.ndarray]:
    """Give the labels of the test clips of a split, and their scores."""
    counts = fit_lookup(labels[subset == "train"], groups)
    test = labels[subset == "test"]
    return test, score_lookup(counts, groups.reindex(test.index), **params["train"]["lookup"])


def _limits(
    labels: np.ndarray, scores: np.ndarray, sampling: Sampling, bootstrap: Bootstrap
) -> np.ndarray:
    """Give the limits of the macro ROC-AUC: (2,)."""
    means = mean_over_tags(resample_areas(labels, scores, sampling).roc_auc)
    return interval(means, confidence=bootstrap.confidence)


if __name__ == "__main__":
    main()
