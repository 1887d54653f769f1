from autotagging.reporting.tables.epochs import epoch_choices


def test_the_epochs_a_number_may_be_of_stand_side_by_side():
    choice = {"roc_auc_macro": 0.8, "pr_auc_macro": 0.4, "loss": 0.2, "accuracy": 0.9}
    choices = {
        "best_on_validation": {"epoch": 7, **choice},
        "last": {"epoch": 9, **choice},
        "upper_bound_best_on_test": None,  # not all epochs were kept
    }
    table = epoch_choices([{"model": "crnn", "seed": 0, "epoch_choices": choices}])
    assert table["epoch"].tolist() == [7, 9]
    assert table["choice"].tolist() == ["best on validation (the reported epoch)", "last"]
