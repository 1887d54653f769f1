import numpy as np

from autotagging.reporting.tables.cost import cost_table
from autotagging.reporting.tables.counts import millions, whole


def run(model, seed, auc, **more):
    limits = None if auc is None else {"low": auc - 0.125, "high": auc + 0.125}
    return {
        "model": model,
        "seed": seed,
        "roc_auc_macro": auc,
        "reads_audio": model != "lookup",
        "intervals": {"artists": {"roc_auc_macro": limits}},
        "trainable_parameters": 10 + seed,
        "multiply_adds": None,
        **more,
    }


def test_models_that_read_audio_have_their_area_and_cost():
    table = cost_table([run("crnn", 0, 0.5), run("crnn", 1, 0.75), run("lookup", 0, 0.5)])
    (row,) = table.to_dict("records")
    assert (row["model"], row["roc_auc"]) == ("crnn", 0.625)
    assert (row["roc_auc_low"], row["roc_auc_high"]) == (0.5, 0.75)
    assert row["trainable_parameters"] == 11
    assert np.isnan(row["multiply_adds"])


def test_there_may_be_no_area_and_no_model():
    assert cost_table([run("crnn", 0, None)])["roc_auc"].isna().all()
    assert cost_table([run("lookup", 0, 0.5)]).empty


def test_counts_are_texts():
    assert (whole(17365938), whole(None)) == ("17,365,938", "-")
    counts = (22_184_000_000, 27_600_000, 19_660, np.nan)
    assert [millions(count) for count in counts] == ["22,184", "27.6", "0.0197", "-"]
