import json

import pandas as pd
import pytest

from autotagging.common.errors import UserError
from autotagging.steps.figures.table_4 import table_4
from earlier_steps import UNDEFINED, assert_brackets, metrics_and_models, seeds, written


def test_table_4_says_that_the_demo_is_not_comparable(results, published):
    output = written(results)
    table_4(**metrics_and_models(results), published=published, table_files=output)
    assert "not comparable with MagnaTagATune" in output.md.read_text()
    table = pd.read_csv(output.csv)
    assert len(table) == 1 + 3 + 14
    assert table.loc[0, ["seeds", "roc_auc", "roc_auc_std"]].tolist() == [2, 0.75, 0]
    assert table.loc[0, ["roc_auc_low", "roc_auc_high"]].tolist() == [0.625, 0.875]
    others = ["lookup", "each tag's share in training", "“no” to every tag"]
    assert table["method"].tolist()[1:4] == others
    assert table["epochs"].fillna("").tolist()[:5] == ["2 of 100", "", "", "", "100"]
    text = output.md.read_text()
    systems, others, cited = (
        text.index(f"**{title}.**")
        for title in (
            "Measured here: systems of the paper's Table 4",
            "Measured here: for orientation",
            "Cited",
        )
    )
    assert systems < text.index("| CRNN | crnn |") < others < text.index("| lookup |") < cited
    _, above, _, below, *_ = text.split("\n\n")
    assert_brackets(above)
    assert UNDEFINED in below
    assert "| FCN | 2020 | 0.9005 |" in text
    assert "| CRNN (the paper) | 2017 | 0.893 | 0.94 | 0.15 |" in text
    assert "| Transferred learning | 2014 | 0.88 |" in text
    assert "| Short-chunk CNN + Res | 2020 | 0.9129 |" in text
    text = text.replace("\N{NO-BREAK SPACE}", " ")
    row = "| CRNN | crnn | 0.750 ± 0 [0.625, 0.875] | 0.893 | 2017 | 0.900 ± 0 | 0.300 ± 0 | 2 |"
    assert f"{row} 2 of 100 | 55 | 2.5 |" in text
    assert (
        "All rows: tags: 3 merged, 2 scored; split: random 6/1/3; comparable with paper: no"
        in below
    )


def test_what_a_cited_row_lacks_is_named(results):
    rows = results / "published.yaml"
    rows.write_text("- {method: FCN}\n")
    metrics = [results / "seed-0/metrics.json"]
    with pytest.raises(UserError, match=r"published\.yaml: row 1 has no 'year'"):
        table_4(
            metrics=metrics,
            model_json=[results / "seed-0/model.json"],
            published=rows,
            table_files=written(results),
        )
    assert not (results / "tables").exists()


def test_costs_that_a_model_json_lacks_are_a_dash(results, published):
    for path in seeds(results, "model.json"):
        model = json.loads(path.read_text())
        del model["multiply_adds"], model["trainable_parameters"]
        path.write_text(json.dumps(model))
    table_4(**metrics_and_models(results), published=published, table_files=written(results))
    assert "| 2 of 100 | - | - |" in written(results).md.read_text()


def test_metrics_and_models_of_other_runs_are_refused(results, published):
    given = metrics_and_models(results)
    given["model_json"].reverse()
    with pytest.raises(UserError, match=r"seed-1/model\.json: not the model of .*seed-0/metrics"):
        table_4(**given, published=published, table_files=written(results))
