import pandas as pd

from autotagging.steps.figures.epoch_choices import epoch_choices
from earlier_steps import seeds, written


def test_the_best_and_the_last_epoch_are_compared(results):
    epoch_choices(metrics=seeds(results, "metrics.json"), table_files=written(results))
    table = pd.read_csv(written(results).csv)
    assert table["epoch"].tolist() == [2] * 4
    assert "the paper doesn't say which epoch it used" in written(results).md.read_text()
