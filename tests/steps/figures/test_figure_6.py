import sys

import pytest

from autotagging.common.errors import UserError
from autotagging.steps.figures.figure_6 import figure_6
from earlier_steps import assert_draws, drawn


@pytest.fixture
def inputs(results):
    return {
        "predictions": results / "seed-0/predictions.npz",
        "metrics": results / "seed-0/metrics.json",
    }


def test_figure_6_is_drawn(results, inputs):
    assert_draws(figure_6, results, **inputs)


def test_figure_6_takes_the_clip_of_median_accuracy_or_the_one_asked_for(
    results, inputs, monkeypatch
):
    shown = []
    module = sys.modules[figure_6.__module__]
    monkeypatch.setattr(module, "draw", lambda *args, clip_id, **more: shown.append(clip_id))
    monkeypatch.setattr(module, "save_figure", lambda *args: None)
    figure_6(**inputs, figure_files=drawn(results))
    figure_6(**inputs, clip_id=9, figure_files=drawn(results))
    assert shown == [8, 9]


def test_a_clip_of_no_test_set_is_named(results, inputs):
    with pytest.raises(UserError, match=r"clip 12 is not a test clip"):
        figure_6(**inputs, clip_id=12, figure_files=drawn(results))
    assert not (results / "figures").exists()
