from autotagging.steps.figures.figure_4 import figure_4
from earlier_steps import assert_draws


def test_figure_4_is_drawn(results):
    assert_draws(figure_4, results, model_json=results / "seed-0/model.json")
