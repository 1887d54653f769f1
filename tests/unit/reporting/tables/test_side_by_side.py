import pandas as pd

from autotagging.reporting.tables.side_by_side import one_below_another, side_by_side


def test_each_model_has_columns_of_its_own():
    rows = [
        ("drum", 3, "crnn", 0.8, 0.1),
        ("flute", 2, "crnn", 0.7, 0.1),
        ("drum", 3, "lookup", 0.6, 0.0),
    ]
    table = pd.DataFrame(rows, columns=["tag", "clips", "model", "roc_auc", "roc_auc_std"])
    wide = side_by_side(table, ["tag", "clips"], ("roc_auc",))
    areas = ["crnn roc_auc", "crnn roc_auc_std", "lookup roc_auc", "lookup roc_auc_std"]
    assert wide.columns.tolist() == ["tag", "clips", *areas]
    assert wide.loc[0].tolist() == ["drum", 3, 0.8, 0.1, 0.6, 0.0]
    assert wide.loc[1, areas].isna().tolist() == [False, False, True, True]


def test_each_model_has_a_row_of_its_own():
    rows = [
        ("mood", "crnn", 0.8, 0.7),
        ("mood", "lookup", 0.6, 0.5),
        ("genre", "crnn", None, None),
        ("vocal", "lookup", 0.7, 0.6),
    ]
    table = pd.DataFrame(rows, columns=["category", "model", "roc_auc", "roc_auc_low"])
    shown = one_below_another(table, "category", "roc_auc").set_index("model")
    assert shown.columns.tolist() == ["mood", "mood_low", "vocal", "vocal_low"]
    assert shown.loc["lookup"].tolist() == [0.6, 0.5, 0.7, 0.6]
    assert shown.loc["crnn", ["vocal", "vocal_low"]].isna().all()
