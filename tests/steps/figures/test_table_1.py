import json

import pandas as pd
import pytest

from autotagging.common.errors import UserError
from autotagging.steps.figures.table_1 import table_1
from earlier_steps import written


def test_table_1_comes_from_the_model(results):
    output = written(results)
    table_1(model_json=results / "seed-0/model.json", table_files=output)
    table = pd.read_csv(output.csv).set_index("parameter")
    assert table.loc["Mel-time matrix after zero padding", "here"] == "1x96x100"
    assert table.loc["Frames added in zero padding", "here"] == "6"


def test_what_a_model_lacks_is_named(results):
    model = results / "seed-0/model.json"
    content = json.loads(model.read_text())
    del content["front_end"]["n_mels"]
    model.write_text(json.dumps(content))
    with pytest.raises(UserError, match=r"model\.json: front_end: no entry 'n_mels'"):
        table_1(model_json=model, table_files=written(results))
    assert not (results / "tables").exists()
