import json

from autotagging.steps.figures.cost import cost
from earlier_steps import assert_draws, seeds


def inputs(results):
    return {
        "metrics": seeds(results, "metrics.json"),
        "model_json": seeds(results, "model.json"),
    }


def test_cost_is_drawn(results):
    assert_draws(cost, results, **inputs(results))


def test_cost_is_drawn_where_nothing_is_known_of_it(results):
    for path in seeds(results, "model.json"):
        model = json.loads(path.read_text())
        del model["multiply_adds"], model["front_end"]
        path.write_text(json.dumps(model))
    assert_draws(cost, results, **inputs(results))
