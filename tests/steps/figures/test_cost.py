import json

from autotagging.steps.figures.cost import cost
from earlier_steps import assert_draws, metrics_and_models, seeds


def test_cost_is_drawn(results):
    assert_draws(cost, results, **metrics_and_models(results))


def test_cost_is_drawn_where_nothing_is_known_of_it(results):
    for path in seeds(results, "model.json"):
        model = json.loads(path.read_text())
        del model["multiply_adds"], model["front_end"]
        path.write_text(json.dumps(model))
    assert_draws(cost, results, **metrics_and_models(results))
