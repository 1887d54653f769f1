import pandas as pd

from autotagging.reporting.tables.side_by_side import side_by_side


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
