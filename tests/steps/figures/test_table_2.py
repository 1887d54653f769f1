import json

from autotagging.steps.figures.table_2 import table_2
from earlier_steps import written


def test_table_2_states_the_number_of_parameters(results):
    output = written(results)
    table_2(model_json=results / "seed-0/model.json", table_files=output)
    assert "55 trainable parameters" in output.md.read_text().splitlines()[0]
    assert "| 4x3x3 | no | conv_1 |" in output.md.read_text()


def test_table_2_writes_counts_with_separators_for_readers_only(results):
    path, output = results / "seed-0/model.json", written(results)
    model = json.loads(path.read_text())
    model["architecture"][-1]["parameters"] = 73_856
    path.write_text(json.dumps(model))
    table_2(model_json=path, table_files=output)
    assert "| 73,856 |" in output.md.read_text()
    assert ",73856\n" in output.csv.read_text()
