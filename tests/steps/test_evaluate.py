"""Step evaluate as a command."""

import ast
import json
import shutil

import numpy as np
import pandas as pd
import pytest

from autotagging.common.errors import UserError
from autotagging.common.files import sha256
from autotagging.dataset.groups import group_numbers, read_groups
from autotagging.metrics import scoring
from autotagging.metrics.decisions import best_thresholds
from autotagging.metrics.rounding import rounded
from autotagging.metrics.settings import Bootstrap, EvaluationSettings
from autotagging.metrics.validation import validation_summary
from autotagging.models.lookup import fit_lookup, score_lookup
from autotagging.models.stored import StoredModel, save_model
from autotagging.steps import evaluate as step
from autotagging.training.epoch_metrics import cross_entropy, smoothed_prior
from commands import evaluate, evaluate_lookup, merge_tags, split, train_lookup
from conftest import ROOT

BOOTSTRAP = Bootstrap(50, 0.95, 0)
TAGS = ["a", "b", "c"]
TRAIN, VALIDATION, TEST = slice(0, 24), slice(24, 36), slice(36, 48)


def test_a_model_that_reads_tables_loads_no_tensorflow(downloaded, vocabulary):
    merge_tags(downloaded / "annotations_final.csv", vocabulary, downloaded)
    split(downloaded, ["--train", 1, "--validation", 1, "--test", 1, "--seed", 0])
    train_lookup(downloaded)
    evaluate_lookup(downloaded)
    metrics = json.loads((downloaded / "metrics.json").read_text())
    assert metrics["model"] == "lookup"
    assert metrics["n_clips"] == 1


def test_spectrograms_of_another_front_end_are_refused(trained):
    folder, _ = trained
    settings = folder / "front_end.json"
    before = settings.read_text()
    settings.write_text(json.dumps({**json.loads(before), "log_scale": "log1p"}))
    message = evaluate(folder, "one", code=2)
    settings.write_text(before)
    assert f"{settings}: log_scale is log1p, but {folder}/one/model.json was trained on" in message


def test_a_full_memory_is_named_with_what_helps(monkeypatch):
    import tensorflow as tf

    from autotagging.training import devices
    from autotagging.training import step as training_step

    def score(clip_ids, gather, *, batch_size):
        raise tf.errors.ResourceExhaustedError(None, None, "Out of memory\nin several lines")

    monkeypatch.setattr(devices, "prepare", lambda **settings: devices.ONE_DEVICE)
    monkeypatch.setattr(training_step, "make_scorer", lambda network: score)
    monkeypatch.setattr(scoring, "build_network", lambda stored: None)
    monkeypatch.setattr(scoring, "_inputs", lambda stored, store: None)
    stored = StoredModel(ROOT, {"model": "crnn", "seed": 0}, {})
    subsets = dict.fromkeys(("test", "validation"), pd.DataFrame({"a": [0, 1]}))
    with pytest.raises(UserError, match=r"run again; or set a lower evaluate\.batch_size$"):
        scoring.score_network(stored, None, subsets, batch_size=2, threads=1)


def test_only_evaluate_asks_for_test_labels():
    asking = {
        path.stem
        for path in (ROOT / "src/autotagging").rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "labelled_clips"
        if not {"train", "validation"}.issuperset(subsets_of(call))
    }
    assert asking == {"evaluate"}


def subsets_of(call):
    """Subsets that a call of labelled_clips names; "?" where they are not written out."""
    (subsets,) = (flag.value for flag in call.keywords if flag.arg == "subsets")
    names = getattr(subsets, "elts", [None])
    return {getattr(name, "value", "?") for name in names}


def test_evaluate_scores_the_test_clips(trained):
    folder, _ = trained
    checkpoints = shutil.copytree(folder / "unfinished/one", folder / "unfinished/evaluated")
    message = evaluate(folder, "one", "--unfinished", checkpoints)
    # The model has been read, so that its checkpoints are of no use any more.
    assert [path.name for path in checkpoints.iterdir()] == ["devices.txt"]
    assert "scoring on CPU, 2 threads\n" in message
    assert "crnn, seed 0: test macro ROC-AUC" in message
    assert "over 2 of 2 tags, 2 clips, 1 artist, so no interval" in message
    metrics = json.loads((folder / "one/metrics.json").read_text())
    # Clips 4 and 5 have tags {b} and {a}: a: 0, 1; b: 1, 0.
    assert metrics["n_clips"] == 2
    assert metrics["baselines"]["all_zero"]["accuracy"] == 0.5
    # Both clips are of one artist, so that no resample of artists would be another than all clips.
    assert metrics["intervals"]["artists"]["roc_auc_macro"] is None
    assert {unit: each["groups"] for unit, each in metrics["intervals"].items()} == {
        **{"clips": 2, "tracks": 2, "artists": 1},
    }
    without = {
        unit: each["resamples_without_some_tag"] for unit, each in metrics["intervals"].items()
    }
    assert without["artists"] == 0 < without["tracks"] == without["clips"]
    # In training a is 0.5 and b is 1.
    assert metrics["baselines"]["prior"]["accuracy"] == 0.5
    with np.load(folder / "one/predictions.npz") as arrays:
        assert arrays["clip_id"].tolist() == [4, 5]
        assert arrays["labels"].tolist() == [[0, 1], [1, 0]]
        assert arrays["scores"].shape == (2, 2)
        assert arrays["track"].tolist() == [4, 5]
        assert arrays["artist"].tolist() == [0, 0]
        assert arrays["validation_clip_id"].tolist() == [2, 3]
        assert arrays["thresholds"].shape == (2,)
    model = json.loads((folder / "one/model.json").read_text())
    epochs = pd.read_csv(folder / "one/per_epoch.csv").set_index("epoch")
    assert epochs.index.tolist() == model["kept_epochs"] == [1, 2]
    assert epochs.index[epochs["best"] == 1].tolist() == [model["best_epoch"]]
    assert epochs.loc[model["best_epoch"], "loss"] == metrics["loss"]
    assert epochs["last"].tolist() == [0, 1]
    assert epochs["loss"].nunique() == 2
    assert metrics["epoch_choices"]["last"]["loss"] == epochs.loc[2, "loss"]
    categories = pd.read_csv(folder / "one/per_category.csv")
    assert categories["category"].tolist() == ["genre", "mood"]
    assert pd.read_csv(folder / "one/calibration.csv")["decisions"].sum() == 4


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """Labels, groups and split of 48 clips; artists have tracks and clips in all subsets."""
    folder = tmp_path_factory.mktemp("tables")
    ids, labels = np.arange(48), np.random.default_rng(0).integers(2, size=(48, 3))
    names = {
        level: [f"{level} {n}" for n in ids % of]
        for level, of in (("track", 24), ("album", 8), ("artist", 4))
    }
    pd.DataFrame({"clip_id": ids, **names}).to_csv(folder / "groups.csv", index=False)
    pd.DataFrame({"tag": TAGS, "category": "mood"}).to_csv(folder / "tags.csv", index=False)
    subset = np.repeat(["train", "validation", "test"], [24, 12, 12])
    pd.DataFrame({"clip_id": ids, "subset": subset}).to_csv(folder / "split.csv", index=False)
    return folder, labels


def evaluated(tables, name, labels):
    """Fit the model lookup and evaluate it in this process: metrics.json and predictions.npz."""
    folder, out = tables[0], tables[0] / name
    out.mkdir()
    table = pd.DataFrame(labels, columns=TAGS)
    table.insert(0, "mp3_path", "x")
    table.rename_axis("clip_id").to_csv(out / "labels.csv")
    counts = fit_lookup(table.loc[:23, TAGS], read_groups(folder / "groups.csv"))
    files = {"labels": out / "labels.csv", "split": folder / "split.csv"}
    description = {
        **{"model": "lookup", "seed": 0, "options": {"pseudo_count": 1.0}, "tags": TAGS},
        **{"corpus": "x", "split": "x", "versions": {}},
        "trained_on": {f"{name}_sha256": sha256(path) for name, path in files.items()},
    }
    save_model(out / "model.json", out / "weights.npz", description, counts)
    tables_of = {name: folder / f"{name}.csv" for name in ("tags", "groups")}
    written = {name: out / f"{name}.csv" for name in step.EvaluationFiles.__annotations__}
    written |= {"predictions": out / "predictions.npz", "metrics": out / "metrics.json"}
    step.evaluate(
        model_json=out / "model.json",
        data=step.EvaluationData(**files, **tables_of),
        settings=EvaluationSettings(0.5, [1], 4),
        bootstrap=BOOTSTRAP,
        pseudo_count=1.0,
        batch_size=1,
        threads=1,
        files=step.EvaluationFiles(**written),
    )
    with np.load(out / "predictions.npz") as arrays:
        return json.loads((out / "metrics.json").read_text()), dict(arrays)


@pytest.mark.parametrize("turned", ["nothing", "test", "train"])
def test_thresholds_and_baselines_come_from_no_test_label(tables, turned):
    """Turning the test labels changes what is measured; turning training labels, the scores."""
    folder, before = tables
    labels = before.copy()
    clips = {"nothing": slice(0), "test": TEST, "train": TRAIN}[turned]
    labels[clips] = 1 - labels[clips]
    metrics, arrays = evaluated(tables, turned, labels)
    groups = read_groups(folder / "groups.csv")
    counts = fit_lookup(pd.DataFrame(labels[TRAIN], columns=TAGS), groups)
    lookup = score_lookup(counts, groups, pseudo_count=1.0)
    prior = np.tile(smoothed_prior(labels[TRAIN]), (12, 1))
    baselines = metrics["baselines"]
    assert baselines["prior"]["loss"] == pytest.approx(cross_entropy(labels[TEST], prior))
    assert baselines["lookup"]["loss"] == pytest.approx(cross_entropy(labels[TEST], lookup[TEST]))
    assert (arrays["labels"] == labels[TEST]).all()
    assert (arrays["validation_labels"] == before[VALIDATION]).all()
    assert (arrays["scores"] == lookup[TEST]).all()
    thresholds = best_thresholds(before[VALIDATION], lookup[VALIDATION], otherwise=0.5)
    assert (arrays["thresholds"] == thresholds).all()
    artist = group_numbers(groups, "artist", pd.RangeIndex(24, 36))
    assert metrics["validation"] == rounded(
        validation_summary(before[VALIDATION], lookup[VALIDATION], artist, BOOTSTRAP)
    )
