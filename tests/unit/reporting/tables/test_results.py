import numpy as np
import pandas as pd
import pytest

from autotagging.reporting.tables import results as result_tables


def measured(seed, auc, **more):
    """Metrics whose limits lie 0.1 around, with decisions at both thresholds."""
    limits = {"roc_auc_macro": {"low": auc - 0.1, "high": auc + 0.1}, "pr_auc_macro": None}
    baselines = {"all_zero": {"accuracy": 0.95}, "prior": {"accuracy": 0.94, "loss": 0.2}}
    return {
        **{"model": "crnn", "seed": seed, "n_tags": 50, "n_tags_scored": 49, "threshold": 0.5},
        **{"roc_auc_macro": auc, "pr_auc_macro": 0.4, "precision_at": {"1": 0.75}},
        **{"accuracy": 0.9, "at_tag_thresholds": {"accuracy": 0.7}},
        "intervals": {"tracks": limits},
        "baselines": {**baselines, "lookup": {"accuracy": 0.93}},
        **more,
    }


def test_all_metrics_lists_models_and_constant_answers():
    table = result_tables.all_metrics([measured(0, 0.8), measured(1, 0.9)])
    assert table["answer"].unique().tolist() == [
        *("crnn", "lookup", "each tag's share in training", "“no” to every tag"),
    ]
    crnn = table[table["answer"] == "crnn"].set_index("metric")
    assert crnn.loc["roc_auc_macro", "value"] == pytest.approx(0.85)
    assert crnn.loc["roc_auc_macro", ["value_low", "value_high"]].tolist() == pytest.approx(
        [0.75, 0.95]
    )
    assert crnn.loc["precision_at_1", ["value", "value_std"]].tolist() == [0.75, 0]
    assert crnn.loc["accuracy", ["value", "threshold"]].tolist() == [0.9, "0.5"]
    own = crnn.loc["accuracy_at_tag_thresholds", ["value", "threshold"]]
    assert own.tolist() == [0.7, "the tag's own"]
    assert np.isnan(crnn.loc["pr_auc_macro", "value_low"])
    wide = result_tables.side_by_side(table, ["metric", "text"], ("value",), of="answer")
    assert len(wide) == table["metric"].nunique()
    assert wide.set_index("metric").loc["loss", "each tag's share in training value"] == 0.2


def test_the_epochs_a_number_may_be_of_stand_side_by_side():
    choice = {"roc_auc_macro": 0.8, "pr_auc_macro": 0.4, "loss": 0.2, "accuracy": 0.9}
    choices = {
        "best_on_validation": {"epoch": 7, **choice},
        "last": {"epoch": 9, **choice},
        "upper_bound_best_on_test": None,  # not all epochs were kept
    }
    table = result_tables.epoch_choices([measured(0, 0.8, epoch_choices=choices)])
    assert table["epoch"].tolist() == [7, 9]
    assert table["choice"].tolist() == ["best on validation (the headline)", "last"]


def per_tag(model, seed, *aucs):
    return pd.DataFrame(
        {
            **{"model": model, "seed": seed, "tag": ["slow", "drum"]},
            **{"category": ["mood", "instrument"], "positives": [3, 0], "share": [0.5, 0.0]},
            **{"roc_auc": aucs, "pr_auc": aucs},
            **{"roc_auc_tracks_low": np.array(aucs) - 0.1, "roc_auc_tracks_high": 1.0},
        }
    )


def test_tags_keep_their_order_and_seeds_are_averaged():
    runs = [per_tag("crnn", 0, 0.6, np.nan), per_tag("crnn", 1, 0.7, np.nan)]
    table = result_tables.tag_scores(pd.concat([*runs, per_tag("lookup", 0, 0.5, np.nan)]))
    assert table[["tag", "model"]].to_numpy().tolist() == [
        *(["slow", "crnn"], ["drum", "crnn"], ["slow", "lookup"], ["drum", "lookup"]),
    ]
    numbers = table.loc[0, ["roc_auc", "roc_auc_std", "roc_auc_low", "roc_auc_high"]].tolist()
    assert numbers == pytest.approx([0.65, 0.1 / 2**0.5, 0.55, 1.0])
    assert table.loc[[1, 3], "roc_auc"].isna().all()


def test_categories_come_after_all_tags_and_say_whether_a_difference_is_clear():
    minus = "roc_auc_minus_rest"
    rows = pd.DataFrame(
        {
            **{"model": "crnn", "seed": 0, "category": ["genre", "mood", "vocal"]},
            **{"tags": 4, "tags_scored": [4, 4, 0], "roc_auc": [0.9, 0.7, np.nan], "pr_auc": 0.5},
            **{minus: [0.1, -0.1, np.nan], f"{minus}_tracks_low": [0.01, -0.2, np.nan]},
            f"{minus}_tracks_high": [0.2, 0.01, np.nan],
        }
    )
    table = result_tables.category_scores(rows, [measured(0, 0.8)])
    assert table["category"].tolist() == ["all", "genre", "mood", "vocal"]
    assert table["clear"].tolist() == ["", "yes", "no", ""]
    every = table.loc[0, ["tags", "tags_scored", "roc_auc", "roc_auc_low"]].tolist()
    assert every == pytest.approx([50, 49, 0.8, 0.7])
