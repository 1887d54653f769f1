import pandas as pd
import pytest

from autotagging.common.errors import UserError
from autotagging.steps.figures.table_4 import table_4
from earlier_steps import UNDEFINED, assert_brackets, seeds, written


def test_table_4_says_that_the_demo_is_not_comparable(results, published):
    output = written(results)
    table_4(metrics=seeds(results, "metrics.json"), published=published, table_files=output)
    assert "not comparable with MagnaTagATune" in output.md.read_text()
    table = pd.read_csv(output.csv)
    assert len(table) == 1 + 3 + 14
    assert table.loc[0, ["seeds", "roc_auc", "roc_auc_std"]].tolist() == [2, 0.75, 0]
    assert table.loc[0, ["roc_auc_low", "roc_auc_high"]].tolist() == [0.625, 0.875]
    others = ["lookup", "each tag's share in training", "“no” to every tag"]
    assert table["method"].tolist()[1:4] == others
    assert table["epochs"].fillna("").tolist()[:5] == ["2 of 100", "", "", "", "100"]
    text = output.md.read_text()
    assert text.index("**Measured here.**") < text.index("| crnn |") < text.index("**Cited.**")
    _, above, _, below, *_ = text.split("\n\n")
    assert_brackets(above)
    assert UNDEFINED in below
    assert "| FCN | 2020 | 0.9005 |" in text
    assert "| Short-chunk CNN + Res | 2020 | 0.9129 |" in text
    assert "| crnn | 0.750 ± 0 [0.625, 0.875] |" in text.replace("\N{NO-BREAK SPACE}", " ")


def test_what_a_cited_row_lacks_is_named(results):
    rows = results / "published.yaml"
    rows.write_text("- {method: FCN}\n")
    metrics = [results / "seed-0/metrics.json"]
    with pytest.raises(UserError, match=r"published\.yaml: row 1 has no 'year'"):
        table_4(metrics=metrics, published=rows, table_files=written(results))
    assert not (results / "tables").exists()
