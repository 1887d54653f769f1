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
        {"clip_id": [5, 3, 7, 9], "subset": ["train", "validation", "test", "test"]}
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
    assert "1 clips have no spectrogram" in capsys.readouterr().err


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
