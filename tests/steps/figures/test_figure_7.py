from autotagging.steps.figures.figure_7 import figure_7
from commands import autotagging
from earlier_steps import assert_draws, drawn, files_in, seeds


def test_figure_7_is_drawn(results, published):
    assert_draws(
        figure_7,
        results,
        history=seeds(results, "history.csv"),
        model_json=seeds(results, "model.json"),
        per_epoch=seeds(results, "per_epoch.csv"),
        roc=seeds(results, "roc.csv"),
        metrics=seeds(results, "metrics.json"),
        published=published,
    )


def test_figure_7_of_models_without_epochs_needs_no_history(results, published):
    output = drawn(results)
    flags = ["--published", published]
    for name in ("per_epoch.csv", "roc.csv", "metrics.json"):
        flags += [f"--{name.split('.')[0].replace('_', '-')}", *seeds(results, name)]
    flags += ["--svg", output.svg, "--png", output.png]
    autotagging("figures", "figure_7", *flags, without="tensorflow")
    assert files_in(output.svg.parent) == ["out.png", "out.svg"]
