import itertools

import numpy as np
import pandas as pd
import pytest

from autotagging.reporting.plots.cost import cost
from autotagging.reporting.plots.text import length
from figures import CAPTION, LINES, texts

MODELS = ["crnn", "statistics", "fcn4", "conv1d", "bof_rbm", "transfer", "multiscale", "pooled"]
MODELS += ["musicnn", "short_chunk"]


def models(n=10, **more):
    """Models of similar costs and areas, as those of the paper's Table 4 are."""
    rng = np.random.default_rng(0)
    areas = 0.88 + 0.02 * rng.random(n)
    return pd.DataFrame(
        {
            "model": MODELS[:n],
            "roc_auc": areas,
            "roc_auc_low": areas - 0.005,
            "roc_auc_high": areas + 0.005,
            "trainable_parameters": 10 ** (5 + rng.random(n)),
            "multiply_adds": 10 ** (7 + 2 * rng.random(n)),
            **more,
        }
    )


EXAMPLES = {
    "cost": lambda: cost(models(1), lookup=0.75, lines=LINES, caption=CAPTION),
    "cost of many": lambda: cost(models(), lookup=0.87, lines=LINES, caption=CAPTION),
}


def boxes(figure, names):
    """Left, right, bottom and top of the names of models in each panel, in points."""
    figure.canvas.draw()
    found = {}
    for text in texts(figure):
        if text.get_text() in names:
            extent = text.get_window_extent()
            found.setdefault(text.axes, []).append(extent.extents * 72 / figure.dpi)
    return [*found.values()]


def test_every_model_is_named_in_both_panels_and_no_name_covers_another():
    figure = EXAMPLES["cost of many"]()
    panels = boxes(figure, MODELS)
    assert [len(panel) for panel in panels] == [10, 10]
    for panel in panels:
        for one, other in itertools.combinations(panel, 2):
            width = min(one[2], other[2]) - max(one[0], other[0])
            height = min(one[3], other[3]) - max(one[1], other[1])
            assert width < 0.5 or height < 0.5


def test_names_are_clear_of_intervals_and_above_all_lines():
    figure = EXAMPLES["cost of many"]()
    for axes, panel in zip(figure.axes, boxes(figure, MODELS), strict=True):
        intervals = np.array(axes.collections[0].get_segments()).reshape(-1, 2)
        ends = axes.transData.transform(intervals).reshape(-1, 4) * 72 / figure.dpi
        for (left, bottom, right, top), (x, low, _, high) in itertools.product(panel, ends):
            covered = min(top, high) - max(bottom, low)
            assert not (left < x < right and covered > 2), (left, x, right)
    for text in texts(figure):
        if text.get_text() in MODELS:
            assert text.get_path_effects()
            assert text.get_zorder() > max(line.get_zorder() for line in text.axes.collections)


def test_points_intervals_and_the_baseline_are_where_they_are_measured():
    table = models(3)
    left, right = cost(table, lookup=0.87).axes
    for axes, name in ((left, "trainable_parameters"), (right, "multiply_adds")):
        intervals, points = axes.collections
        assert points.get_offsets().data == pytest.approx(table[[name, "roc_auc"]].to_numpy())
        (first, *_) = intervals.get_segments()
        assert first[:, 1] == pytest.approx(table.loc[0, ["roc_auc_low", "roc_auc_high"]].to_list())
        assert axes.get_xscale() == "log"
        (line,) = axes.lines
        assert set(line.get_ydata()) == {0.87}


def test_a_model_of_unknown_cost_or_area_is_named_below_the_axis():
    table = models(3, multiply_adds=[1e9, np.nan, 1e7], roc_auc_low=np.nan)
    left, right = cost(table, lookup=None).axes
    assert left.get_xlabel() == "trainable parameters"
    assert right.get_xlabel().endswith("\nnot known: statistics")
    assert not left.lines


def test_a_panel_without_any_known_cost_says_so():
    table = models(2, multiply_adds=np.nan)
    figure = cost(table, lookup=0.87)
    _, right = figure.axes
    assert right.get_xlabel().endswith("\nnot known: crnn, statistics")
    assert [len(panel) for panel in boxes(figure, MODELS)] == [2]
    assert len(right.lines) == 1


def test_a_long_name_is_shortened():
    table = models(1).assign(model="x" * 90)
    figure = cost(table, lookup=0.7)
    (shown, *_) = (text.get_text() for text in texts(figure) if "…" in text.get_text())
    assert length(shown) <= 1
