"""`autotagging sweep`: which experiments are drawn, and what stands in the table."""

import hashlib
import json
from types import SimpleNamespace

import pandas as pd
import pytest

from autotagging.common.errors import UserError
from autotagging.tools import sweep as module
from autotagging.tools.sweep import sweep
from earlier_steps import metrics_of

COMMIT = "0123456789abcdef"


@pytest.fixture
def listing(tmp_path, monkeypatch):
    """Make what `dvc exp show --json` prints of experiments, and put their results in a cache."""
    cache = tmp_path / "cache"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module, "cache_folder", lambda: cache)

    def store(content, suffix=""):
        md5 = hashlib.md5(content).hexdigest() + suffix
        (cache / md5[:2]).mkdir(parents=True, exist_ok=True)
        (cache / md5[:2] / md5[2:]).write_bytes(content)
        return md5

    def revision(rate, seeds, auc=0.75, models=("crnn", "lookup"), clips=440):
        outs = {}
        for model in models:
            for seed in seeds:
                run = {"model": model, "seed": seed, "corpus": "demo", "split": "random 6/1/3"}
                metrics = {**metrics_of(run), "roc_auc_macro": auc + seed / 100}
                metrics["intervals"]["artists"].pop("groups")  # as of earlier code
                file = store(json.dumps(metrics).encode())
                entries = json.dumps([{"md5": file, "relpath": "metrics.json"}]).encode()
                outs[f"results/evaluate/{model}/seed-{seed}"] = {"hash": store(entries, ".dir")}
        train = {"seeds": [*seeds], "learning_rate": rate}
        params = {"models": [*models], "demo": {"clips": clips}, "train": train}
        data = {"params": {"params.yaml": {"data": params}}, "outs": outs}
        return {"rev": COMMIT, "name": None, "data": data, "error": None}

    def make(experiments, **start):
        entries = [
            {"name": name, "revs": [revision(**of)], "executor": state and {"state": state}}
            for name, state, of in experiments
        ]
        shown = [
            {"rev": "workspace", "data": {}, "experiments": None},
            {**revision(**start), "experiments": entries},
        ]
        printed = SimpleNamespace(stdout=json.dumps(shown))
        monkeypatch.setattr(module, "run", lambda *arguments, **options: printed)

    return make


def table(folder):
    return pd.read_csv(folder / "sweep.csv")


def test_trainings_are_in_the_order_of_values_and_seeds(listing, tmp_path, capsys):
    slow, fast = {"rate": 0.0001, "seeds": [0, 1]}, {"rate": 0.01, "seeds": [0, 1]}
    listing(
        [
            ("fast", "success", {**fast, "auc": 0.625}),
            ("pulled", None, slow),
            ("again", "success", {"rate": 0.001, "seeds": [0]}),
            ("waits", "queued", {"rate": 0.003, "seeds": [0]}),
            ("larger", "success", {"rate": 0.01, "seeds": [3], "clips": 441}),
        ],
        rate=0.001,
        seeds=[0],
    )
    sweep(parameter="train.learning_rate", out=tmp_path / "figure")
    found = table(tmp_path / "figure")
    assert found["train.learning_rate"].tolist() == [0.0001, 0.0001, 0.001, 0.01, 0.01]
    assert found["seed"].tolist() == [0, 1, 0, 0, 1]
    assert found["experiment"].tolist() == ["pulled", "pulled", "HEAD", "fast", "fast"]
    assert found["test"].tolist() == [0.75, 0.76, 0.75, 0.625, 0.635]
    assert set(found["model"]) == {"crnn"}
    assert found.loc[0, "validation_low":"validation_high"].tolist() == [0.75, 0.9375]
    assert found.loc[0, ["validation", "test_low", "lookup"]].tolist() == [0.8125, 0.625, 0.625]
    assert {path.name for path in (tmp_path / "figure").iterdir()} == {
        *("sweep.svg", "sweep.png", "sweep.csv")
    }
    printed = capsys.readouterr().err
    assert "left out, not finished: waits\n" in printed
    assert "left out, other parameters vary, too: larger\n" in printed


def test_models_without_audio_are_drawn_where_no_other_is(listing, tmp_path):
    only = {"models": ("lookup",), "seeds": [0]}
    listing([("one", "success", {**only, "rate": 2})], rate=1, **only)
    sweep(parameter="train.learning_rate", out=tmp_path)
    assert table(tmp_path)["model"].tolist() == ["lookup", "lookup"]


@pytest.mark.parametrize(
    ("parameter", "message"),
    [
        ("learning_rate", "learning_rate: not among the parameters in params.yaml"),
        (
            "train.learning_rate",
            "no finished experiment from HEAD varies train.learning_rate alone",
        ),
    ],
)
def test_without_an_experiment_there_is_no_figure(listing, tmp_path, parameter, message):
    listing([("seeds", "success", {"rate": 1, "seeds": [1]})], rate=1, seeds=[0])
    with pytest.raises(UserError, match=message):
        sweep(parameter=parameter, out=tmp_path)


def test_results_that_the_cache_lacks_are_named(listing, tmp_path):
    listing([("one", "success", {"rate": 2, "seeds": [0]})], rate=1, seeds=[0])
    for path in (tmp_path / "cache").rglob("*.dir"):
        path.unlink()
    with pytest.raises(UserError, match="HEAD: DVC's cache lacks results/evaluate/crnn/seed-0"):
        sweep(parameter="train.learning_rate", out=tmp_path)


def test_a_commit_that_dvc_can_not_read_is_named(monkeypatch, tmp_path):
    broken = {"rev": COMMIT, "data": None, "error": {"msg": "bad dvc.yaml"}, "experiments": None}
    printed = SimpleNamespace(stdout=json.dumps([broken]))
    monkeypatch.setattr(module, "run", lambda *arguments, **options: printed)
    with pytest.raises(UserError, match=r"HEAD: bad dvc\.yaml"):
        sweep(parameter="train.learning_rate", out=tmp_path)
