"""Cost of the evaluation without scoring; coverage of its intervals; false differences.

Usage: python benchmarks/evaluate.py [--clips 4566] [--trials 400]. All data are simulated.
"""

import argparse
import resource
import time
from collections.abc import Callable
from itertools import product

import numpy as np
from scipy.stats import norm
from sklearn.metrics import average_precision_score, roc_auc_score

from autotagging.metrics.bootstrap import (
    Sampling,
    interval,
    mean_over_tags,
    resample_areas,
    resample_micro,
)
from autotagging.metrics.breakdown import table_of_categories, table_of_tags
from autotagging.metrics.decisions import roc_auc_by_clip
from autotagging.metrics.differences import Run, differences
from autotagging.metrics.intervals import resample, sampling_units
from autotagging.metrics.scores import Scores, TestSet
from autotagging.metrics.settings import Bootstrap, EvaluationSettings
from autotagging.metrics.summary import summarise

TAGS = [f"tag {number}" for number in range(50)]
SHARES = np.geomspace(0.19, 0.01, 50)  # 6.1 % on average, the paper's tags 5.4 %
RESAMPLES = 1000
TRUE_AREA = norm.cdf(1.5 / np.sqrt(2))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=4566, help="number of test clips")
    parser.add_argument("--trials", type=int, default=400, help="0: measure only the cost")
    arguments = parser.parse_args()
    print_times(arguments.clips)
    if arguments.trials:
        print_coverage(arguments.trials)
        print_few_artists(arguments.trials)
        print_false_differences(arguments.trials)


def simulate(
    clips: int,
    shares: np.ndarray,
    rng: np.random.Generator,
    *,
    per_track: int = 1,
    per_artist: int = 1,
) -> tuple[np.ndarray, np.ndarray]:
    """Labels and scores; clips of a track share the labels and four fifths of the noise.

    With several tracks per artist, an artist's tracks tend to have the same tags, and its clips
    share half of that noise.
    """
    track = np.arange(clips) // per_track
    artist = np.arange(track[-1] + 1) // per_artist  # of each track
    shared, of_artist = 0.8 * (per_track > 1), 0.0
    noise = 0.0
    if per_artist > 1:
        of_artist = shared / 2
        shape = (artist[-1] + 1, len(shares))
        shares = rng.beta(0.3, 0.3 / shares - 0.3, size=shape)[artist]
        noise = np.sqrt(of_artist) * rng.normal(size=shape)[artist[track]]
    shape = (track[-1] + 1, shares.shape[-1])
    labels = (rng.random(shape) < shares).astype(np.uint8)[track]
    noise += np.sqrt(shared - of_artist) * rng.normal(size=shape)[track]
    noise += np.sqrt(1 - shared) * rng.normal(size=labels.shape)
    return labels, (norm.cdf(1.5 * labels + noise - 1)).astype(np.float32)


def print_times(clips: int) -> None:
    rng = np.random.default_rng(0)
    labels, scores = simulate(clips, SHARES, rng)
    validation = simulate(clips // 3, SHARES, rng)
    track = np.arange(clips) // 2
    units = sampling_units(track, track // 10, Bootstrap(RESAMPLES, 0.95, 0))
    test_set = TestSet(TAGS, labels, validation[0], EvaluationSettings(0.5, [1, 3, 5, 10], 10))
    measured = Scores(scores, validation[1])
    parts = {
        "ROC-AUC of each clip, one call of scikit-learn each": lambda: [
            roc_auc_score(truth, score)
            for truth, score in zip(labels, scores, strict=True)
            if 0 < truth.sum() < 50
        ],
        "ROC-AUC of each clip, by ranks": lambda: roc_auc_by_clip(labels, scores),
        "all metrics of all clips, once": lambda: test_set.measure(measured),
        "1,000 resamples of clips: both areas of each tag": lambda: resample_areas(
            labels, scores, units["clips"]
        ),
        "1,000 resamples of tracks: both areas of each tag": lambda: resample_areas(
            labels, scores, units["tracks"]
        ),
        "1,000 resamples of clips: ROC-AUC, micro": lambda: resample_micro(
            labels, scores, units["clips"]
        ),
        "1,000 resamples of clips: all metrics": lambda: resample(
            test_set, measured, units["clips"]
        ),
        "whole evaluation, without scoring": lambda: evaluate(test_set, measured, units),
    }
    if clips > 10_000:
        parts.pop("ROC-AUC of each clip, one call of scikit-learn each")
    print(f"| {clips:,} clips x 50 tags | wall s | CPU s |\n| --- | ---: | ---: |")
    for name, part in parts.items():
        wall, processor = timed(part)
        print(f"| {name} | {wall:.2f} | {processor:.2f} |", flush=True)
    print(f"\npeak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6:.0f} MB\n")


def evaluate(test_set: TestSet, measured: Scores, units: dict[str, Sampling]) -> None:
    """Do what the step does with the scores of a model and of the lookup baseline."""
    resampled = {unit: resample(test_set, measured, drawn) for unit, drawn in units.items()}
    reference = {unit: resample_areas(test_set.test, measured.test, units[unit]) for unit in units}
    spread = {unit: (resampled[unit], reference[unit]) for unit in units}
    summarise(test_set, measured, measured, SHARES, spread, confidence=0.95)
    categories, artist = ["genre", "mood"] * 25, units["artists"].groups
    table = table_of_tags(test_set, measured, categories, artist, resampled, confidence=0.95)
    table_of_categories(table, spread, confidence=0.95)


def timed(part: Callable) -> tuple[float, float]:
    wall, processor = time.perf_counter(), time.process_time()
    part()
    return time.perf_counter() - wall, time.process_time() - processor


def print_coverage(trials: int, clips: int = 1500) -> None:
    """Count how often intervals of 95 % contain the value of the whole population."""
    rng = np.random.default_rng(1)
    shares = np.geomspace(0.2, 0.01, 20)
    labels, scores = simulate(400_000, shares, rng)
    true_precision = np.array(
        [average_precision_score(*tag) for tag in zip(labels.T, scores.T, strict=True)]
    )
    true = {"roc_auc": np.full(20, TRUE_AREA), "pr_auc": true_precision}
    print(f"| {trials} trials, {clips:,} clips, 20 tags | drawn | percentiles | basic |")
    print("| --- | --- | ---: | ---: |")
    cases = (1, 1, ["clips"]), (5, 1, ["clips", "tracks"]), (5, 10, ["clips", "tracks", "artists"])
    for per_track, per_artist, units in cases:
        held: dict[tuple[str, str, str], list[list[float]]] = {}
        for trial in range(trials):
            alike = {"per_track": per_track, "per_artist": per_artist}
            labels, scores = simulate(clips, shares, rng, **alike)
            track = np.arange(clips) // per_track
            drawn = sampling_units(track, track // per_artist, Bootstrap(300, 0.95, trial))
            for unit in units:
                areas = resample_areas(labels, scores, drawn[unit])
                for area, value in true.items():
                    samples = getattr(areas, area)
                    rows = {"each tag": (samples, value)}
                    rows["mean over tags"] = (mean_over_tags(samples), value.mean())
                    for name, (each, target) in rows.items():
                        limits = [interval(each, confidence=0.95, basic=m) for m in (0, 1)]
                        # A tag without a positive has no interval.
                        holds = [
                            np.mean(((x[0] <= target) & (target <= x[1]))[np.isfinite(x[0])])
                            for x in limits
                        ]
                        held.setdefault((name, area, unit), []).append(holds)
        for (name, area, unit), holds in held.items():
            case = f", {per_track} clips a track" * (per_track > 1)
            case += f", {per_artist} tracks an artist" * (per_artist > 1)
            plain, basic = np.mean(holds, axis=0)
            print(f"| {area}, {name}{case} | {unit} | {plain:.3f} | {basic:.3f} |", flush=True)


def print_few_artists(trials: int, artists: int = 7, per_artist: int = 60) -> None:
    """Count how often the interval of the mean over 25 tags, 8 of one artist each, is right."""
    rng, artist = np.random.default_rng(3), np.repeat(np.arange(artists), per_artist)
    print(f"\n| {trials} trials, {artists} artists, 25 tags: share of an artist's noise | holds |")
    print("| --- | ---: |")
    for alike, (tags, case) in product((0.2, 0.4), ((25, "tags apart"), (1, "the same in all"))):
        held = 0
        for trial in range(trials):
            shares = rng.beta(0.5, 1.5, size=(artists, 25))
            shares[:, :8] = 0.5 * (np.arange(artists)[:, None] == rng.integers(artists, size=8))
            labels = (rng.random((len(artist), 25)) < shares[artist]).astype(np.uint8)
            noise = np.sqrt(alike) * rng.normal(size=(artists, tags))[artist]
            noise = noise + np.sqrt(1 - alike) * rng.normal(size=labels.shape)
            areas = resample_areas(labels, 1.5 * labels + noise, Sampling(artist, 300, trial))
            low, high = interval(mean_over_tags(areas.roc_auc), confidence=0.95)
            held += low <= TRUE_AREA <= high
        print(f"| {alike}, {case} | {held / trials:.3f} |", flush=True)


def print_false_differences(trials: int, clips: int = 60) -> None:
    """Count how often equally good models differ clearly, by the number of test artists."""
    rng, numbers = np.random.default_rng(2), np.arange(clips)
    print(f"\n| {trials} trials, {clips} clips, 5 tags: test artists | clear differences |")
    print("| ---: | ---: |")
    for artists in (2, 3, 5, 7, 10, 20, 30):
        found = 0
        for trial in range(trials):
            labels = (rng.random((clips, 5)) < 0.3).astype(np.uint8)
            runs = [
                Run(model, numbers, numbers, numbers * artists // clips, labels, scores)
                for model, scores in zip("ab", labels + rng.normal(size=(2, clips, 5)), strict=True)
            ]
            table = differences(runs, ["other"] * 5, Bootstrap(300, 0.95, trial))
            found += table.loc[0, "clear"] == "yes"
        print(f"| {artists} | {100 * found / trials:.0f} % |", flush=True)


if __name__ == "__main__":
    main()
