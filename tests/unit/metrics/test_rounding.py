import json

import numpy as np
import pandas as pd
import pytest

from autotagging.metrics.rounding import rounded


def test_what_processors_compute_differently_is_written_alike():
    one, other = ({"intervals": [{"low": low}]} for low in (0.9119047619047619, 0.911904761904762))
    assert one != other
    assert rounded(one) == rounded(other) == {"intervals": [{"low": 0.911904761905}]}


def test_numbers_keep_twelve_digits_and_everything_else_stays():
    assert rounded({"p": 1 / 3, "tiny": 2e-9 / 3, "n": 4566, "tags": ["a"], "none": None}) == {
        "p": 0.333333333333,
        "tiny": 6.66666666667e-10,
        "n": 4566,
        "tags": ["a"],
        "none": None,
    }
    table = pd.DataFrame({"tag": ["1.0", "NA"], "clips": [2, 3], "auc": [2 / 3, None]})
    written = rounded(table)
    assert written.dtypes["clips"] == table.dtypes["clips"]
    assert written["tag"].tolist() == ["1.0", "NA"]
    assert written["auc"].tolist() == pytest.approx([0.666666666667, float("nan")], 0, nan_ok=True)


def test_numbers_of_numpy_can_be_written_as_json():
    found = {"area": np.float32(0.5), "n": np.int64(3), "above": np.bool_(True)}
    assert json.dumps(rounded(found)) == '{"area": 0.5, "n": 3, "above": true}'
