"""Draw the experiments of a sweep: the command `autotagging sweep`."""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from autotagging.common.errors import UserError
from autotagging.common.files import write_csv
from autotagging.dataset.groups import INTERVAL_UNIT
from autotagging.models import reads_spectrograms
from autotagging.reporting.captions import run_caption
from autotagging.reporting.inputs import read_headline
from autotagging.reporting.outputs import FigureFiles
from autotagging.reporting.plots.style import save_figure
from autotagging.reporting.plots.sweep import is_numeric, value_text
from autotagging.reporting.plots.sweep import sweep as draw
from autotagging.tools._cache import cache_folder, files_of, object_path
from autotagging.tools._engines import flat, run

_SEEDS = "train.seeds"
_SUBSETS = ("validation", "test")
_MEASURES = [f"{subset}{side}" for subset in _SUBSETS for side in ("", "_low", "_high")]
_MEASURES += ["lookup"]


@dataclass(frozen=True)
class _Experiment:
    """A finished experiment, or the commit that experiments start from.

    Attributes
    ----------
    name
        Name of the experiment, or revision of the commit.
    params
        Parameters that stages depend on, by their full names.
    outs
        MD5 of DVC's listing of each folder of results.
    """

    name: str
    params: dict[str, Any]
    outs: dict[str, str]


def sweep(*, parameter: str, out: Path, rev: str = "HEAD") -> None:
    """Draw the macro ROC-AUC of DVC's experiments against the parameter that they vary.

    Of the experiments that start from a commit, those are drawn that differ from it in this
    parameter and the seeds alone; the others are named. The commit itself is drawn, too. A model
    that reads no audio is drawn only where no other is.

    Parameters
    ----------
    parameter
        Full name of the parameter, such as train.learning_rate.
    out
        Folder for the outputs sweep.svg, sweep.png and sweep.csv, which has a row per training.
    rev
        Commit that the experiments start from.

    Raises
    ------
    UserError
        No finished experiment varies this parameter, or DVC's cache lacks its results.
    """
    shown = run("dvc", "exp", "show", "--json", "--rev", rev, capture=True)
    commit, experiments, unfinished = _read(json.loads(shown.stdout), rev)
    if parameter not in commit.params:
        raise UserError(f"{parameter}: not among the parameters in params.yaml; give the full name")
    same = _others(commit, parameter)
    chosen = [
        each
        for each in experiments
        if parameter in each.params and _others(each, parameter) == same
    ]
    for kind, names in (
        ("not finished", unfinished),
        ("other parameters vary, too", [each.name for each in experiments if each not in chosen]),
    ):
        if names:
            print(f"left out, {kind}: {', '.join(names)}", file=sys.stderr)
    if not any(each.params[parameter] != commit.params[parameter] for each in chosen):
        raise UserError(
            f"no finished experiment from {rev} varies {parameter} alone; run some, for example "
            f"`dvc exp run --queue -S {parameter}=VALUE` and `dvc queue start`"
        )
    cache = cache_folder()
    results = [each for one in [commit, *chosen] for each in _measured(one, parameter, cache)]
    audio = [each for each in results if reads_spectrograms(each[0]["model"])]
    _write(audio or results, parameter, out)


def _read(listing: list[dict], rev: str) -> tuple[_Experiment, list[_Experiment], list[str]]:
    """Read what `dvc exp show --json` prints of a commit and of its experiments."""
    found, unfinished = [], []
    (start,) = (each for each in listing if each["rev"] != "workspace")
    for entry in start["experiments"] or ():
        name = entry["name"] or entry["revs"][0]["rev"][:7]
        if (entry["executor"] or {}).get("state", "success") == "success":
            found.append(_experiment(name, entry["revs"][0]))
        else:
            unfinished.append(name)
    return _experiment(rev, start), found, unfinished


def _experiment(name: str, entry: dict) -> _Experiment:
    if not entry["data"]:
        reason = (entry["error"] or {}).get("msg", "DVC can't read it")
        raise UserError(f"{name}: {reason}")
    params = dict(flat(entry["data"]["params"]["params.yaml"]["data"]))
    outs = {path: out["hash"] for path, out in entry["data"]["outs"].items()}
    return _Experiment(name, params, outs)


def _others(experiment: _Experiment, parameter: str) -> dict[str, Any]:
    varied = (parameter, _SEEDS)
    return {name: value for name, value in experiment.params.items() if name not in varied}


def _measured(
    experiment: _Experiment, parameter: str, cache: Path
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield the metrics.json of each training of an experiment, and its row of the table."""
    for model in experiment.params["models"]:
        for seed in experiment.params[_SEEDS]:
            folder = f"results/evaluate/{model}/seed-{seed}"
            listing = object_path(cache, experiment.outs.get(folder) or "none")
            files = dict(files_of(folder, listing)) if listing.is_file() else {}
            path = object_path(cache, files.get(Path(folder, "metrics.json"), "none"))
            if not path.is_file():
                raise UserError(
                    f"{experiment.name}: DVC's cache lacks {folder}; `dvc fetch` gets the results "
                    "of commits from a remote, `dvc exp pull` those of experiments"
                )
            metrics = read_headline(path)
            yield metrics, _row(metrics, experiment, parameter)


def _row(metrics: dict[str, Any], experiment: _Experiment, parameter: str) -> dict[str, Any]:
    row = {"model": metrics["model"], "value": experiment.params[parameter]}
    row |= {"seed": metrics["seed"], "experiment": experiment.name}
    for subset, measured in zip(_SUBSETS, (metrics["validation"], metrics), strict=True):
        limits = measured["intervals"][INTERVAL_UNIT]["roc_auc_macro"] or {}
        row[subset] = measured["roc_auc_macro"]
        row |= {f"{subset}_{side}": limits.get(side) for side in ("low", "high")}
    return row | {"lookup": metrics["baselines"]["lookup"]["roc_auc_macro"]}


def _write(results: list[tuple[dict[str, Any], dict[str, Any]]], parameter: str, out: Path) -> None:
    """Write the table and the figure; the same training in two experiments counts once."""
    rows = {}
    for _, row in results:
        rows.setdefault((row["model"], value_text(row["value"]), row["seed"]), row)
    numeric = is_numeric(row["value"] for row in rows.values())
    places = list(dict.fromkeys(value for _, value, _ in rows))
    models = list(dict.fromkeys(model for model, _, _ in rows))

    def order(key: tuple[str, str, int]) -> tuple[int, float, int]:
        model, value, seed = key
        return models.index(model), float(value) if numeric else places.index(value), seed

    table = pd.DataFrame([rows[key] for key in sorted(rows, key=order)])
    table = table.astype(dict.fromkeys(_MEASURES, float))
    runs = [metrics for metrics, _ in results]
    figure = draw(
        table,
        parameter=parameter,
        confidence=runs[0]["confidence"],
        caption=run_caption(runs),
    )
    write_csv(table.rename(columns={"value": parameter}), out / "sweep.csv")
    save_figure(figure, FigureFiles(out / "sweep.svg", out / "sweep.png"))
    print(f"{len(table)} trainings: {out / 'sweep.svg'}, {out / 'sweep.csv'}", file=sys.stderr)
