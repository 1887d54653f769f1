import itertools

import numpy as np
import pandas as pd
import pytest

from autotagging.reporting.plots.sweep import positions, sweep, value_text
from figures import CAPTION

RATES = (0.0001, 0.001, 0.01)


def trainings(values=RATES, models=("crnn",), seeds=(0, 1)):
    """Areas that are highest on validation clips at the second value."""
    rows = []
    for (place, value), model, seed in itertools.product(enumerate(values), models, seeds):
        area = 0.8 - 0.05 * abs(place - 1) + 0.02 * seed
        row = {"model": model, "value": value, "seed": seed, "validation": area}
        row |= {"validation_low": area - 0.04, "validation_high": area + 0.03}
        row |= {"test": area - 0.1, "test_low": area - 0.13, "test_high": area - 0.08}
        rows.append({**row, "lookup": 0.7})
    return pd.DataFrame(rows).astype({"value": object})


def drawn(table, parameter="train.learning_rate"):
    return sweep(table, parameter=parameter, confidence=0.95, caption=CAPTION)


EXAMPLES = {
    "sweep": lambda: drawn(trainings()),
    "sweep of several models": lambda: drawn(trainings(models=("crnn", "fcn4", "pooled"))),
    "sweep of names": lambda: drawn(
        trainings(("power_db", "log1p", "squared_power_db"), seeds=(0,)), "extract_mel.log_scale"
    ),
    "sweep of many": lambda: drawn(trainings(tuple(range(100, 1300, 100))), "demo.clips"),
}


def legend_of(figure):
    (legend,) = figure.legends
    return [text.get_text() for text in legend.get_texts()]


def test_means_and_their_intervals_are_on_both_sides_of_a_value():
    (axes,) = EXAMPLES["sweep"]().axes
    validation, test, best, lookup = axes.lines
    assert validation.get_ydata() == pytest.approx([0.76, 0.81, 0.76])
    assert test.get_ydata() == pytest.approx([0.66, 0.71, 0.66])
    assert (validation.get_xdata() < [-4, -3, -2]).all()
    assert (test.get_xdata() > [-4, -3, -2]).all()
    assert best.get_ydata() == pytest.approx([0.81])
    assert set(lookup.get_ydata()) == {0.7}
    assert legend_of(axes.figure) == [
        *("validation", "test"),
        *("highest on validation", "lookup (no audio)"),
    ]
    bars, seeds, *_ = axes.collections
    assert bars.get_segments()[1][:, 1] == pytest.approx([0.77, 0.84])  # means of both seeds
    assert seeds.get_offsets()[:, 1].data == pytest.approx([0.75, 0.77, 0.8, 0.82, 0.75, 0.77])


def test_of_one_seed_no_points_are_drawn_besides_the_line():
    (axes,) = EXAMPLES["sweep of names"]().axes
    assert len(axes.collections) == 2  # bars of validation and test
    assert [label.get_text() for label in axes.get_xticklabels()] == [
        "power_db",
        "log1p",
        "squared_power_db",
    ]


def test_a_model_whose_areas_are_undefined_is_drawn_without_them():
    table = trainings()
    table[["validation", "validation_low", "validation_high", "lookup"]] = np.nan
    (axes,) = drawn(table).axes
    assert "highest on validation" not in legend_of(axes.figure)


@pytest.mark.parametrize(
    ("values", "places", "scale"),
    [
        ([0.001, 0.01, 0.1], [-3, -2, -1], " (log scale)"),
        ([16, 32, 64.0], np.log10([16, 32, 64]), " (log scale)"),
        ([0.1, 0.2, 0.3], [0.1, 0.2, 0.3], ""),
        ([0, 1, 10], [0, 1, 10], ""),
        ([0.5], [0.5], ""),
        ([None, 5, 10], [0, 1, 2], ""),
        ([True, False], [0, 1], ""),
        ([[1], [1, 3]], [0, 1], ""),
    ],
)
def test_numbers_are_spaced_evenly_and_other_values_stand_in_their_order(values, places, scale):
    found, addition = positions(values)
    assert [*found.values()] == pytest.approx(places)
    assert addition == scale


def test_equal_values_have_the_same_text():
    assert [value_text(each) for each in (1, 1.0, 1e-05, True, None, "a", [1, 2])] == [
        *("1", "1", "1e-05", "true", "null", "a", "[1, 2]")
    ]


def test_a_caption_names_bars_only_where_there_are_intervals():
    of_one_artist = trainings().assign(validation_low=np.nan, test_low=np.nan)
    assert drawn(of_one_artist).get_suptitle().replace("\n", " ") == f"{CAPTION}. Points: seeds"
    both = "Points: seeds. Bars: 95 % confidence interval, by artists"
    assert drawn(trainings()).get_suptitle().replace("\n", " ") == f"{CAPTION}. {both}"
