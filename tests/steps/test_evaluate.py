"""Step evaluate as a command."""

import ast
import json
import shutil

import numpy as np
import pandas as pd

from commands import evaluate, evaluate_lookup, merge_tags, split, train_lookup
from conftest import ROOT


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
    assert "crnn, seed 0: test macro ROC-AUC" in message
    assert "over 2 of 2 tags, 2 clips" in message
    metrics = json.loads((folder / "one/metrics.json").read_text())
    # Clips 4 and 5 have tags {b} and {a}: a: 0, 1; b: 1, 0.
    assert metrics["n_clips"] == 2
    assert metrics["baselines"]["all_zero"]["accuracy"] == 0.5
    # Both clips are of one artist, so that each resample of artists has both, and so both classes.
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


def test_weights_that_are_not_the_models_are_refused(trained, tmp_path):
    folder, _ = trained
    copy = folder / "copy"
    copy.mkdir(exist_ok=True)
    for name in ("weights.npz", "model.json"):
        (copy / name).write_bytes((folder / "one" / name).read_bytes())
    content = bytearray((copy / "weights.npz").read_bytes())
    content[1000] ^= 1
    (copy / "weights.npz").write_bytes(content)
    assert "not the weights of" in evaluate(folder, "copy", code=2)
