import pytest

from autotagging.common.errors import UserError
from autotagging.steps.figures.figure_3 import figure_3
from earlier_steps import assert_draws, drawn


@pytest.fixture
def inputs(results):
    return {
        "download": results / "corpus",
        "split": results / "split.csv",
        "model_json": results / "seed-0/model.json",
    }


def test_figure_3_is_drawn_of_a_clip_that_can_be_read(results, inputs):
    assert_draws(figure_3, results, **inputs)


def test_a_clip_that_cannot_be_read_is_named(results, inputs):
    with pytest.raises(UserError, match=r"clip 4 \(empty\)"):
        figure_3(**inputs, clip_id=4, figure_files=drawn(results))
    assert not (results / "figures").exists()
