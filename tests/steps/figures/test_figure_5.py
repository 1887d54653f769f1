import json

import pytest

from autotagging.common.errors import UserError
from autotagging.reporting.inputs import read_runs
from autotagging.steps.figures.figure_5 import figure_5
from commands import autotagging
from earlier_steps import assert_draws, drawn, files_in, seeds


def test_figure_5_is_drawn(results):
    history, models = seeds(results, "history.csv"), seeds(results, "model.json")
    assert_draws(figure_5, results, history=history, model_json=models)


def test_models_without_epochs_are_left_out(results):
    other = results / "seed-1"
    (other / "history.csv").write_text("epoch,loss,val_loss,auc,val_auc\n")
    model = json.loads((other / "model.json").read_text())
    del model["best_epoch"], model["architecture"]
    (other / "model.json").write_text(json.dumps({**model, "model": "statistics"}))
    history, models = seeds(results, "history.csv"), seeds(results, "model.json")
    runs, described = read_runs(history, models)
    assert set(runs["model"]) == {"crnn"}
    assert [each["model"] for each in described] == ["crnn"]
    figure_5(history=history[1:], model_json=models[1:], figure_files=drawn(results))
    assert "<svg" in drawn(results).svg.read_text()


def test_as_many_histories_as_models_are_needed(results):
    with pytest.raises(UserError, match=r"2 files of history, 1 of model_json"):
        figure_5(
            history=seeds(results, "history.csv"),
            model_json=[results / "seed-0/model.json"],
            figure_files=drawn(results),
        )
    assert not (results / "figures").exists()


def test_the_command_line_takes_lists_and_never_loads_tensorflow(results):
    output = drawn(results)
    history, models = seeds(results, "history.csv"), seeds(results, "model.json")
    flags = ["--history", *history, "--model-json", *models]
    flags += ["--svg", output.svg, "--png", output.png]
    autotagging("figures", "figure_5", *flags, without="tensorflow")
    assert files_in(output.svg.parent) == ["out.png", "out.svg"]
