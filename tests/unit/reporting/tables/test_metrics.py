import numpy as np
import pytest

from autotagging.reporting.tables.metrics import all_metrics


def measured(seed, auc, **more):
    """Metrics whose limits lie 0.1 around, with decisions at both thresholds."""
    limits = {"roc_auc_macro": {"low": auc - 0.1, "high": auc + 0.1}, "pr_auc_macro": None}
    return {
        "model": "crnn",
        "seed": seed,
        "n_tags": 50,
        "n_tags_scored": 49,
        "threshold": 0.5,
        "roc_auc_macro": auc,
        "pr_auc_macro": 0.4,
        "precision_at": {"1": 0.75},
        "accuracy": 0.9,
        "at_tag_thresholds": {"accuracy": 0.7},
        "intervals": {"artists": limits},
        "baselines": {
            "all_zero": {"accuracy": 0.95},
            "prior": {"accuracy": 0.94, "loss": 0.2},
            "lookup": {"accuracy": 0.93},
        },
        **more,
    }


def test_all_metrics_lists_models_and_constant_answers():
    table = all_metrics([measured(0, 0.8), measured(1, 0.9)])
    assert table["answer"].unique().tolist() == [
        "crnn",
        "lookup",
        "each tag's share in training",
        "“no” to every tag",
    ]
    crnn = table[table["answer"] == "crnn"].set_index("metric")
    assert crnn.loc["roc_auc_macro", "value"] == pytest.approx(0.85)
    assert crnn.loc["roc_auc_macro", ["value_low", "value_high"]].tolist() == pytest.approx(
        [0.75, 0.95]
    )
    assert crnn.loc["precision_at_1", ["value", "value_std"]].tolist() == [0.75, 0]
    assert crnn.loc["accuracy", ["value", "threshold"]].tolist() == [0.9, "0.5"]
    own = crnn.loc["accuracy_at_tag_thresholds", ["value", "threshold"]]
    assert own.tolist() == [0.7, "the tag's own"]
    assert np.isnan(crnn.loc["pr_auc_macro", "value_low"])
