"""Tables and figures of test clips of a single artist, by which there are no intervals."""

import json

import pandas as pd
import pytest

from autotagging.metrics.settings import Bootstrap
from autotagging.steps.figures.all_metrics import all_metrics
from autotagging.steps.figures.category_scores import category_scores
from autotagging.steps.figures.cost import cost
from autotagging.steps.figures.differences import differences
from autotagging.steps.figures.tag_scores import tag_scores
from earlier_steps import RUN, drawn, write_run, written

NONE = "No intervals: all test clips are of one artist."


@pytest.fixture
def runs(tmp_path):
    """Two models whose limits by artists are undefined."""
    folders = [tmp_path / model for model in ("crnn", "fcn4")]
    for folder in folders:
        folder.mkdir()
        write_run(folder, {**RUN, "model": folder.name})
        metrics = json.loads((folder / "metrics.json").read_text())
        limits = {"groups": 1, "resamples": 0, "resamples_without_some_tag": 0}
        limits |= {"roc_auc_macro": None, "gain_over_lookup": {"roc_auc_macro": None}}
        metrics["intervals"] = {"artists": limits}
        (folder / "metrics.json").write_text(json.dumps(metrics))
        for name in ("per_tag.csv", "per_category.csv"):
            table = pd.read_csv(folder / name)
            table[table.filter(regex="_low$|_high$").columns] = float("nan")
            table.to_csv(folder / name, index=False)
    (tmp_path / "tags.csv").write_text("tag,category\ndrum,mood\npiano,mood\nno singer,mood\n")
    return folders


def paths(runs, name):
    return [folder / name for folder in runs]


def test_tables_say_so_and_figures_are_drawn(tmp_path, runs):
    files = {"figure_files": drawn(tmp_path), "table_files": written(tmp_path)}
    metrics = paths(runs, "metrics.json")
    for make, inputs in (
        (all_metrics, {}),
        (tag_scores, {"per_tag": paths(runs, "per_tag.csv"), **files}),
        (category_scores, {"per_category": paths(runs, "per_category.csv"), **files}),
    ):
        make(metrics=metrics, **(inputs or {"table_files": written(tmp_path)}))
        text = written(tmp_path).md.read_text()
        assert NONE in text
        assert "[" not in text
    cost(metrics=metrics, model_json=paths(runs, "model.json"), figure_files=drawn(tmp_path))


def test_no_difference_is_clear(tmp_path, runs):
    differences(
        predictions=paths(runs, "predictions.npz"),
        metrics=paths(runs, "metrics.json"),
        tags=tmp_path / "tags.csv",
        bootstrap=Bootstrap(resamples=20, confidence=0.9, bootstrap_seed=0),
        table_files=written(tmp_path),
    )
    assert NONE in written(tmp_path).md.read_text()
    table = pd.read_csv(written(tmp_path).csv, keep_default_na=False)
    assert set(table["clear"]) == {""}
    assert set(table["artists_low"]) == {""}
