import numpy as np
import pandas as pd
import pytest

from autotagging.reporting.plots.calibration import calibration
from figures import CAPTION, legend_labels


def score_bins(model="crnn", seed=0):
    return pd.DataFrame(
        {
            "model": model,
            "seed": seed,
            "low": [0, 0.5],
            "high": [0.5, 1.0],
            "decisions": [90, 10],
            "mean_score": [0.1, 0.8],
            "share": [0.05, 0.4],
        }
    )


def errors(*models):
    return pd.DataFrame({"model": models, "seed": 0, "calibration_error": 0.085})


EXAMPLES = {
    "calibration": lambda: calibration(score_bins(), errors("crnn"), caption=CAPTION),
    "calibration of models": lambda: calibration(
        pd.concat([score_bins(), score_bins("lookup")]), errors("crnn", "lookup"), caption=CAPTION
    ),
    "calibration of many": lambda: calibration(
        pd.concat([score_bins(name) for name in "abcde"]), errors(*"abcde"), caption=CAPTION
    ),
}


def test_calibration_adds_the_decisions_of_seeds_up():
    # In the upper bin of the second seed 30 decisions have the tag in 0.8 of cases; 10 and 30
    # make 0.25 * 0.4 + 0.75 * 0.8 = 0.7. Its lower bin is empty.
    other = score_bins(seed=1).assign(
        decisions=[0, 30], share=[np.nan, 0.8], mean_score=[np.nan, 0.9]
    )
    figure = calibration(pd.concat([score_bins(), other]), errors("crnn"))
    upper, lower = figure.axes
    _, line = upper.get_lines()
    assert line.get_ydata().tolist() == pytest.approx([0.05, 0.7])
    assert line.get_xdata().tolist() == pytest.approx([0.1, 0.875])
    assert not line.get_clip_on()  # a point at an edge is whole
    assert [bar.get_height() for bar in lower.patches] == [90, 40]
    assert "calibration error 0.085" in legend_labels(upper)
