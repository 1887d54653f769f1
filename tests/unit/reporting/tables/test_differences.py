import pandas as pd
import pytest

from autotagging.reporting.tables.differences import against_first, by_category, every_pair


def pairs():
    """Differences of three models as metrics.differences gives them: first minus second."""
    rows = [
        ("crnn", "fcn4", 0.875, 0.9375, "yes"),
        ("crnn", "lookup", 0.875, 0.75, "no"),
        ("fcn4", "lookup", 0.9375, 0.75, "yes"),
    ]
    return pd.DataFrame(
        [
            {
                "tags": tags,
                "metric": metric,
                "first": first,
                "second": second,
                "first_value": one,
                "second_value": other,
                "difference": one - other,
                "artists_low": one - other - 0.25,
                "artists_high": one - other + 0.5,
                "clear": clear,
                "gain_minus_rest": 0.5,
                "gain_minus_rest_artists_low": 0.25,
                "gain_minus_rest_artists_high": 1.0,
            }
            for first, second, one, other, clear in rows
            for tags in ("all", "mood")
            for metric in ("ROC-AUC", "average precision")
        ]
    )


def test_models_are_compared_with_the_first_and_better_ones_are_positive():
    table = against_first(pairs()).set_index("model")
    assert table.index.tolist() == ["fcn4", "lookup"]
    columns = ["", ": difference", ": difference_low", ": difference_high", ": clear"]
    row = table.loc["fcn4", [f"ROC-AUC{column}" for column in columns]].tolist()
    assert row == [0.9375, 0.0625, 0.0625 - 0.5, 0.0625 + 0.25, "yes"]
    assert table.loc["lookup", "average precision: difference"] == -0.125


def test_each_category_is_compared():
    table = by_category(pairs()).set_index("model")
    assert table.columns.tolist() == ["mood", "mood_low", "mood_high"]
    assert table.loc["lookup"].tolist() == pytest.approx([-0.125, -0.625, 0.125])
    minus_rest = by_category(pairs(), minus_rest=True).set_index("model")
    assert minus_rest.loc["lookup"].tolist() == [-0.5, -1.0, -0.25]


def test_every_pair_is_there_in_both_directions():
    table = every_pair(pairs()).set_index("model")
    assert table.loc["fcn4"].tolist() == ["+0.062*", "", "+0.188*"]
    assert table.loc["lookup"].tolist() == ["-0.125", "-0.188*", ""]
