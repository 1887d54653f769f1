import numpy as np
import pandas as pd
import pytest

from autotagging.errors import UserError
from autotagging.store import MelStore, labelled_clips


@pytest.fixture
def summary(tmp_path):
    """Two shards of three clips; clip 12 is bad."""
    for shard, clips in enumerate(([3, 5, 7], [10, 12, 14])):
        values = np.array(clips, np.float16)[:, None, None] * np.ones((1, 2, 4), np.float16)
        np.save(tmp_path / f"shard-{shard:02}.npy", values)
        status = ["empty" if clip == 12 else "ok" for clip in clips]
        pd.DataFrame({"clip_id": clips, "row": range(3), "seconds": 29.1, "status": status}).to_csv(
            tmp_path / f"shard-{shard:02}.csv", index=False
        )
    (tmp_path / "shard-02.npy").write_text("left over from another setting")
    pd.DataFrame({"shard": ["shard-00", "shard-01"], "clips": 3}).to_csv(
        tmp_path / "summary.csv", index=False
    )
    return tmp_path / "summary.csv"


def test_clips_are_found_wherever_they_lie(summary):
    store = MelStore(summary)
    assert store.clip_shape == (2, 4)
    assert store.gather([14, 3, 10])[:, 0, 0].tolist() == [14, 3, 10]


def test_bad_clips_are_not_in_the_store(summary):
    assert MelStore(summary).clip_ids.tolist() == [3, 5, 7, 10, 14]


def test_a_damaged_shard_is_named(summary):
    (summary.parent / "shard-01.npy").write_bytes(b"\0" * 100)
    with pytest.raises(UserError, match=r"shard-01\.npy: not a readable shard"):
        MelStore(summary)


def test_shard_and_table_must_fit(summary):
    np.save(summary.parent / "shard-01.npy", np.zeros((2, 2, 4), np.float16))
    with pytest.raises(UserError, match=r"3 rows in \.csv, 2 in \.npy"):
        MelStore(summary)


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
    subsets = labelled_clips(*tables, available=pd.Index([3, 5, 7]))
    assert {name: table.index.tolist() for name, table in subsets.items()} == {
        "train": [5],
        "validation": [3],
        "test": [7],
    }
    assert subsets["test"]["a"].tolist() == [1]
    assert "1 clips have no spectrogram" in capsys.readouterr().err


def test_an_empty_subset_is_an_error(tables):
    with pytest.raises(UserError, match="no test clip"):
        labelled_clips(*tables, available=pd.Index([3, 5]))
