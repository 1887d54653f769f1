import re

import pandas as pd
import pytest

from autotagging.common.errors import UserError
from autotagging.dataset.subsets import SUBSETS, labelled_clips


@pytest.fixture
def tables(tmp_path):
    labels, split = tmp_path / "labels.csv", tmp_path / "split.csv"
    pd.DataFrame({"clip_id": [3, 5, 7, 9], "mp3_path": "x", "a": [1, 0, 1, 0]}).to_csv(
        labels, index=False
    )
    pd.DataFrame(
        {"clip_id": [5, 3, 9, 7], "subset": ["train", "validation", "test", "test"]}
    ).to_csv(split, index=False)
    return labels, split


def test_labels_come_by_subset_without_bad_clips(tables, capsys):
    subsets = labelled_clips(*tables, subsets=SUBSETS, available=pd.Index([3, 5, 7]))
    assert {name: table.index.tolist() for name, table in subsets.items()} == {
        "train": [5],
        "validation": [3],
        "test": [7],
    }
    assert subsets["test"]["a"].tolist() == [1]
    assert "left out, without a spectrogram: 1 clip\n" in capsys.readouterr().err


def test_clips_are_in_the_order_of_the_split(tables):
    test = labelled_clips(*tables, subsets=SUBSETS)["test"]
    assert test["a"].to_dict() == {9: 0, 7: 1}
    assert test.index.tolist() == [9, 7]


def test_a_label_that_is_neither_0_nor_1_is_an_error(tables):
    labels = tables[0]
    labels.write_text(labels.read_text().replace("3,x,1", "3,x,2"))
    message = f"{labels}: a label is neither 0 nor 1; delete it and run again"
    with pytest.raises(UserError, match=re.escape(message)):
        labelled_clips(*tables, subsets=SUBSETS)


def test_an_empty_subset_is_an_error(tables):
    with pytest.raises(UserError, match="no test clip"):
        labelled_clips(*tables, subsets=SUBSETS, available=pd.Index([3, 5]))


def test_only_the_subsets_that_are_asked_for_are_returned(tables):
    subsets = labelled_clips(*tables, subsets=("train", "validation"))
    assert {name: table.index.tolist() for name, table in subsets.items()} == {
        "train": [5],
        "validation": [3],
    }
    # Without test clips a model can be trained, not evaluated.
    assert [*labelled_clips(*tables, subsets=("train",), available=pd.Index([5]))] == ["train"]
