import numpy as np
import pandas as pd
import pytest

from autotagging.reporting.outputs import FigureFiles
from autotagging.reporting.plots.curves import figure_5, figure_7
from autotagging.reporting.plots.style import save_figure
from figures import CAPTION, legend_labels


def runs(model="crnn", seeds=(0,), losses=((0.5, 0.4, 0.45),)):
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "model": model,
                    "seed": seed,
                    "epoch": [1, 2, 3],
                    "loss": np.array(loss) - 0.1,
                    "val_loss": loss,
                    "auc": [0.6, 0.7, 0.8],
                    "val_auc": [0.6, 0.65, 0.64],
                    "best": np.arange(3) == np.argmin(loss),
                }
            )
            for seed, loss in zip(seeds, losses, strict=True)
        ],
        ignore_index=True,
    )


def three_seeds():
    """Three runs, of which the second stops after two epochs and the third after one."""
    all_runs = runs(seeds=(0, 1, 2), losses=((0.5, 0.4, 0.3), (0.7, 0.6, 0.9), (0.6, 0.9, 0.9)))
    return all_runs[all_runs["epoch"] <= 3 - all_runs["seed"]]


def roc(model="crnn", seed=0, tpr=(0.0, 0.8, 1.0)):
    curve = {"fpr": [0.0, 0.5, 1.0], "macro": tpr, "micro": tpr, "model": model, "seed": seed}
    return pd.DataFrame(curve)


def aucs(*rows):
    return pd.DataFrame(rows, columns=["model", "seed", "roc_auc_macro", "roc_auc_micro"])


def epochs_on_test(seed=0):
    choices = {"best": [0, 1, 0], "last": [0, 0, 1], "oracle": [0, 0, 1]}
    numbers = {"epoch": [1, 2, 3], "roc_auc_macro": [0.6, 0.7, 0.72]}
    return pd.DataFrame({"model": "crnn", "seed": seed, **numbers, **choices})


def band(axes, number):
    """Lowest and highest y of a band at each x where it is drawn."""
    edge = axes.collections[number].get_paths()[0].vertices
    heights = pd.DataFrame(edge, columns=["x", "y"]).groupby("x")["y"]
    return {x: pytest.approx(pair) for x, *pair in heights.agg(["min", "max"]).itertuples()}


MANY = [*(f"network_{number}" for number in range(9)), "statistics", "lookup"]


def many_runs():
    """Two seeds of nine networks, the second a little shorter."""
    losses = ((0.5, 0.4, 0.45), (0.6, 0.4, 0.3))
    every = pd.concat([runs(name, seeds=(0, 1), losses=losses) for name in MANY[:9]])
    return every[every["epoch"] <= 3 - every["seed"]]


def figure_7_of_many():
    curves = [
        roc(name, seed, (0, 0.9 - n / 50, 1)) for n, name in enumerate(MANY) for seed in (0, 1)
    ]
    areas = [(name, seed, 0.7 + n / 50, 0.8) for n, name in enumerate(MANY) for seed in (0, 1)]
    tested = pd.concat([epochs_on_test(seed).assign(model=n) for n in MANY[:9] for seed in (0, 1)])
    return figure_7(
        many_runs(),
        pd.concat(curves),
        aucs(*areas),
        test=tested[tested["epoch"] <= 3 - tested["seed"]],
        cited_auc=0.893,
        caption=CAPTION,
    )


EXAMPLES = {
    "figure_5": lambda: figure_5(runs(), caption=CAPTION),
    "figure_5 of seeds": lambda: figure_5(three_seeds(), caption=CAPTION),
    "figure_5 of many": lambda: figure_5(many_runs(), caption=CAPTION),
    "figure_7 of many": lambda: figure_7_of_many(),
    "figure_7": lambda: figure_7(
        runs(),
        pd.concat([roc(), roc("lookup")]),
        aucs(("crnn", 0, 0.7, 0.8), ("lookup", 0, 0.8, 0.8)),
        test=epochs_on_test(),
        cited_auc=0.893,
        caption=CAPTION,
    ),
    "figure_7 of seeds": lambda: figure_7(
        three_seeds(),
        pd.concat([roc(seed=seed, tpr=(0, 0.7 + seed / 10, 1)) for seed in range(3)]),
        aucs(*(("crnn", seed, 0.7 + seed / 10, 0.8) for seed in range(3))),
        test=pd.concat([epochs_on_test(seed) for seed in range(3)]),
        cited_auc=0.893,
        caption=CAPTION,
    ),
}


@pytest.mark.parametrize("seeds", [1, 3])
def test_a_single_epoch_is_seen(seeds):
    all_runs = runs(seeds=range(seeds), losses=[(0.5, 0.4, 0.45)] * seeds)
    (axes,) = figure_5(all_runs[all_runs["epoch"] == 1].assign(best=True)).axes
    axes.figure.canvas.draw()
    assert {line.get_marker() for line in axes.lines} <= {"o", "_", "D"}
    assert not any("." in label.get_text() for label in axes.get_xticklabels())


def test_figure_5_has_a_panel_per_model_and_averages_seeds():
    two_seeds = runs(seeds=(0, 1), losses=((0.5, 0.4, 0.45), (0.7, 0.6, 0.35)))
    figure = figure_5(pd.concat([two_seeds, runs("fcn")]))
    crnn, fcn = figure.axes
    assert (crnn.get_title(loc="left"), fcn.get_title(loc="left")) == ("crnn", "fcn")
    lines = {line.get_label(): line for line in crnn.lines}
    assert lines["validation"].get_ydata() == pytest.approx([0.6, 0.5, 0.4])
    best = lines["best epochs: 2, 3"]
    assert list(best.get_xdata()) == [2, 3]
    assert list(best.get_ydata()) == [0.4, 0.35]
    assert crnn.get_legend().get_title().get_text() == "mean ± std of 2 seeds"
    assert "best epoch: 2" in legend_labels(fcn)
    assert fcn.get_legend().get_title().get_text() == ""
    assert not fcn.collections


def test_figure_5_averages_the_seeds_that_are_still_training():
    axes = figure_5(three_seeds()).axes[0]
    mean = next(line for line in axes.lines if line.get_label() == "validation")
    assert mean.get_ydata() == pytest.approx([0.6, 0.5, 0.3])
    # Losses 0.5, 0.6, 0.7, of std 0.1; then 0.4, 0.6, of std 0.141; then 0.3 alone.
    deviation = 0.02**0.5
    assert band(axes, 1) == {1: [0.5, 0.7], 2: [0.5 - deviation, 0.5 + deviation]}
    title = axes.get_legend().get_title().get_text()
    assert title == "mean ± std of 3 seeds;\nafter epoch 1, of those still training"


def test_figure_5_takes_undefined_losses(tmp_path):
    figure = figure_5(runs().assign(val_loss=np.nan))
    save_figure(figure, FigureFiles(tmp_path / "a.svg", tmp_path / "a.png"))


def test_the_legend_has_room_for_the_best_epochs_of_many_seeds():
    every = runs(seeds=range(6), losses=((0.5, 0.4, 0.45),) * 6)
    spread_out = every.assign(best=every["epoch"] == 1, epoch=every["epoch"] + 10 * every["seed"])
    assert "best epochs: 1 to 51" in legend_labels(figure_5(spread_out).axes[0])


def test_figure_7_states_what_is_measured_and_what_is_cited():
    curves = pd.concat([roc(), roc(seed=1, tpr=(0.0, 0.6, 1.0))])
    scores = aucs(("crnn", 0, 0.70, 0.9), ("crnn", 1, 0.80, 0.9))
    both = runs(seeds=(0, 1), losses=((0.5, 0.4, 0.45),) * 2)
    left, right = figure_7(both, curves, scores, cited_auc=0.893).axes
    assert "paper: 0.893 (cited,\nMagnaTagATune; set and\nepoch not stated)" in legend_labels(left)
    assert legend_labels(right) == [
        "macro average, AUC 0.750 ± 0.071",
        "micro average, AUC 0.900 ± 0",
        "chance, AUC 0.500",
    ]
    assert right.get_legend().get_title().get_text() == "mean ± std of 2 seeds"
    mean = next(line for line in right.lines if line.get_label().startswith("macro"))
    assert np.interp(0.5, *mean.get_data()) == pytest.approx(0.7)
    deviation = 0.02**0.5  # of 0.8 and 0.6
    assert band(right, 0) == {0: [0, 0], 0.5: [0.7 - deviation, 0.7 + deviation], 1: [1, 1]}


def test_figure_7_says_what_each_choice_of_an_epoch_gives_on_the_test_clips():
    curve = roc(), aucs(("crnn", 0, 0.7, 0.9))
    left = figure_7(runs(), *curve, test=epochs_on_test()).axes[0]
    label = "test: best epoch 0.700,\nlast 0.720,\nupper bound 0.720"
    assert label in legend_labels(left)
    line = next(line for line in left.lines if line.get_label() == label)
    assert line.get_ydata() == pytest.approx([0.6, 0.7, 0.72])


def test_figure_7_draws_no_line_between_the_few_epochs_that_were_kept():
    curve = roc(), aucs(("crnn", 0, 0.7, 0.9))
    left = figure_7(runs(), *curve, test=epochs_on_test().iloc[1:]).axes[0]
    (points,) = (line for line in left.lines if line.get_label().startswith("test: "))
    assert (points.get_linestyle(), points.get_marker()) == ("None", "s")
    assert points.get_xydata().tolist() == [[2, 0.7], [3, 0.72]]


def test_figure_7_takes_models_without_epochs_and_undefined_numbers(tmp_path):
    history = runs().assign(val_auc=np.nan, auc=np.nan)
    curves = pd.concat([roc(tpr=(np.nan,) * 3), roc("lookup")])
    scores = aucs(("crnn", 0, np.nan, np.nan), ("lookup", 0, 0.7, 0.8))
    figure = figure_7(history, curves, scores, cited_auc=0.893)
    assert "macro average, AUC undefined" in legend_labels(figure.axes[1])
    assert "lookup, macro, AUC 0.700" in legend_labels(figure.axes[1])
    save_figure(figure, FigureFiles(tmp_path / "a.svg", tmp_path / "a.png"))


def test_figure_7_draws_models_without_epochs_by_themselves():
    scores = aucs(("lookup", 0, 0.7, 0.8))
    (axes,) = figure_7(runs().iloc[:0], roc("lookup"), scores).axes
    assert legend_labels(axes)[:2] == ["macro average, AUC 0.700", "micro average, AUC 0.800"]


def test_many_models_have_small_panels_and_one_legend():
    figure = EXAMPLES["figure_5 of many"]()
    assert [axes.get_title(loc="left") for axes in figure.axes] == MANY[:9]
    assert {axes.get_xlabel() for axes in figure.axes} == {"epoch (best epoch: 2)"}
    assert not any(axes.get_legend() for axes in figure.axes)
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [
        *("training", "validation", "best epoch"),
    ]
    title = "lines and bands: mean ± std of 2 seeds, of those still training"
    assert legend.get_title().get_text() == f"loss: binary cross-entropy; {title}"


def test_the_roc_curves_of_many_models_are_in_one_panel_the_best_first():
    figure = figure_7_of_many()
    *panels, between, curves, beside = figure.axes
    assert [axes.get_title(loc="left") for axes in panels] == MANY[:9]
    ranked = [label.split(",")[0] for label in legend_labels(beside)]
    assert ranked == [*reversed(MANY), "chance"]
    assert legend_labels(beside)[0] == "lookup, AUC 0.900 ± 0"
    line = next(line for line in curves.lines if line.get_label().startswith("network_0"))
    assert np.interp(0.5, *line.get_data()) == pytest.approx(0.9)
    assert legend_labels(between) == [
        *("training", "validation", "best epoch", "test"),
        "paper: 0.893 (cited, MagnaTagATune; set and epoch not stated)",
    ]


@pytest.mark.parametrize("first", [True, False])
def test_the_legend_of_many_models_tells_lines_on_test_clips_from_points(first):
    """Of some networks all epochs are kept, of others the best and the last."""
    names = MANY[:3]
    tested = pd.concat([epochs_on_test().assign(model=name) for name in names])
    few = tested["model"] == names[0] if first else tested["model"] != names[0]
    figure = figure_7(
        pd.concat([runs(name) for name in names]),
        pd.concat([roc(name) for name in names]),
        aucs(*((name, 0, 0.7, 0.8) for name in names)),
        test=tested[~few | (tested["epoch"] > 1)],
    )
    legend = figure.axes[3].get_legend()
    kinds = dict(zip(legend_labels(figure.axes[3]), legend.legend_handles, strict=True))
    assert [*kinds][3:] == ["test", "test, kept epochs only"]
    assert kinds["test"].get_linestyle() == ":"
    assert kinds["test, kept epochs only"].get_marker() == "s"


def test_figure_5_says_that_no_model_has_epochs():
    (axes,) = figure_5(runs().iloc[:0]).axes
    assert axes.get_title(loc="left") == "no model has epochs"
