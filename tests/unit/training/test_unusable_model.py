"""A fitted model that could not be read again is not written, not even in part."""

from types import SimpleNamespace

import numpy as np
import pytest

from autotagging.common.errors import UserError
from autotagging.steps import train as step
from autotagging.training.fitted import Fitted


def test_nothing_is_written_of_a_model_with_numbers_that_are_not_finite(tmp_path):
    names = ("weights", "epoch_weights", "model_json", "history", "times", "versions", "checksums")
    files = step.ModelFiles(**{name: tmp_path / name for name in names})
    fitted = Fitted({"counts": np.array([1.0, np.nan])})
    with pytest.raises(UserError, match="model 'lookup': 'counts' has values that are not finite"):
        step._write(fitted, SimpleNamespace(model="lookup"), {}, files)
    assert not [*tmp_path.iterdir()]
