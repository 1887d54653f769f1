import numpy as np
import pandas as pd
import pytest

from autotagging.reporting.tables.scores import category_scores, tag_scores


def per_tag(model, seed, *aucs):
    return pd.DataFrame(
        {
            "model": model,
            "seed": seed,
            "tag": ["slow", "drum"],
            "category": ["mood", "instrument"],
            "positives": [3, 0],
            "artists": [2, 0],
            "share": [0.5, 0.0],
            "roc_auc": aucs,
            "pr_auc": aucs,
            "roc_auc_artists_low": np.array(aucs) - 0.1,
            "roc_auc_artists_high": 1.0,
        }
    )


def test_tags_keep_their_order_and_seeds_are_averaged():
    runs = [per_tag("crnn", 0, 0.6, np.nan), per_tag("crnn", 1, 0.7, np.nan)]
    table = tag_scores(pd.concat([*runs, per_tag("lookup", 0, 0.5, np.nan)]))
    assert table[["tag", "model"]].to_numpy().tolist() == [
        ["slow", "crnn"],
        ["drum", "crnn"],
        ["slow", "lookup"],
        ["drum", "lookup"],
    ]
    numbers = table.loc[0, ["roc_auc", "roc_auc_std", "roc_auc_low", "roc_auc_high"]].tolist()
    assert numbers == pytest.approx([0.65, 0.1 / 2**0.5, 0.55, 1.0])
    assert table.loc[[1, 3], "roc_auc"].isna().all()


def test_categories_come_after_all_tags_and_say_whether_a_difference_is_clear():
    minus = "roc_auc_minus_rest"
    rows = pd.DataFrame(
        {
            "model": "crnn",
            "seed": 0,
            "category": ["genre", "mood", "vocal"],
            "tags": 4,
            "tags_scored": [4, 4, 0],
            "roc_auc": [0.9, 0.7, np.nan],
            "pr_auc": 0.5,
            minus: [0.1, -0.1, np.nan],
            f"{minus}_artists_low": [0.01, -0.2, np.nan],
            f"{minus}_artists_high": [0.2, 0.01, np.nan],
        }
    )
    limits = {"roc_auc_macro": {"low": 0.7, "high": 0.9}, "pr_auc_macro": None}
    run = {"model": "crnn", "n_tags": 50, "n_tags_scored": 49, "intervals": {"artists": limits}}
    table = category_scores(rows, [{**run, "roc_auc_macro": 0.8, "pr_auc_macro": 0.4}])
    assert table["category"].tolist() == ["all", "genre", "mood", "vocal"]
    assert table["clear"].tolist() == ["", "yes", "no", ""]
    every = table.loc[0, ["tags", "tags_scored", "roc_auc", "roc_auc_low"]].tolist()
    assert every == pytest.approx([50, 49, 0.8, 0.7])
