import numpy as np
import pandas as pd
import pytest

from autotagging.reporting.averaging import over_seeds, plus_minus


def test_mean_and_deviation_of_three_seeds():
    mean, std = over_seeds(pd.DataFrame([[0.84, 0.86, 0.91]]))
    assert mean[0] == pytest.approx(0.87)
    # Deviations -0.03, -0.01 and 0.04: squares sum to 0.0026, over n - 1 = 2 it is 0.0013.
    assert std[0] == pytest.approx(0.0013**0.5)
    assert plus_minus(std[0]) == " ± 0.036"


def test_seeds_that_have_ended_do_not_count():
    epochs = pd.DataFrame({0: [0.5, 0.4, 0.3], 1: [0.7, 0.6, np.nan], 2: [0.6, np.nan, np.nan]})
    mean, std = over_seeds(epochs)
    assert mean.tolist() == pytest.approx([0.6, 0.5, 0.3])
    assert std.tolist()[:2] == pytest.approx([0.1, 0.02**0.5])
    assert np.isnan(std[2])


def test_equal_numbers_have_no_deviation_at_all():
    mean, std = over_seeds(pd.DataFrame([[0.1, 0.1, 0.1]]))  # their sum is 0.30000000000000004
    assert (mean[0], std[0]) == (0.1, 0)
    assert plus_minus(std[0]) == " ± 0"


def test_one_seed_and_undefined_numbers_have_no_deviation():
    mean, std = over_seeds(pd.DataFrame({0: [0.8, np.nan]}))
    assert mean[0] == 0.8
    assert np.isnan(mean[1])
    assert std.isna().all()
    assert plus_minus(std[0]) == ""
