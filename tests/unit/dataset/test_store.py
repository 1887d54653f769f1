import hashlib
import os
import resource

import numpy as np
import pytest

from autotagging.common.errors import UserError
from autotagging.dataset.store import MelStore
from conftest import write_shards


@pytest.fixture
def summary(tmp_path):
    """Two shards of three clips; clip 12 is bad."""
    first, second = (
        {clip: None if clip == 12 else np.full((2, 4), clip) for clip in clips}
        for clips in ([3, 5, 7], [10, 12, 14])
    )
    (tmp_path / "shard-02.npy").write_text("left over from another setting")
    return write_shards(tmp_path, first, second)


def test_clips_are_found_wherever_they_lie(summary):
    store = MelStore(summary)
    assert store.clip_shape == (2, 4)
    assert store.gather([14, 3, 10])[:, 0, 0].tolist() == [14, 3, 10]


def test_the_path_of_the_summary_may_be_text(summary):
    assert MelStore(str(summary)).gather([14])[0, 0, 0] == 14


def test_more_shards_may_be_open_than_the_limit_was(tmp_path):
    summary = write_shards(tmp_path, *({clip: np.full((2, 4), clip)} for clip in range(200)))
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (128, before[1]))
    try:
        store = MelStore(summary)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert store.gather([199, 7])[:, 0, 0].tolist() == [199, 7]


def test_too_few_open_files_are_an_error(summary, monkeypatch):
    monkeypatch.setattr("resource.getrlimit", lambda kind: (64, 256))
    with pytest.raises(UserError, match=r"2 shards of .* but the system allows 256; raise `ulimit"):
        MelStore(summary)


def test_a_shard_may_be_empty(tmp_path):
    """As there are more shards than clips."""
    summary = write_shards(tmp_path, {7: np.full((2, 4), 7)})
    np.save(tmp_path / "shard-01.npy", np.zeros((0, 2, 4), np.float16))
    table = tmp_path / "shard-01.csv"
    table.write_text("clip_id,row,seconds,status,crc32\n")
    checksum = hashlib.sha256(table.read_bytes()).hexdigest()
    summary.write_text(f"{summary.read_text()}shard-01,0,{checksum}\n")
    assert MelStore(summary).clip_ids.tolist() == [7]


def test_bad_clips_are_not_in_the_store(summary):
    assert MelStore(summary).clip_ids.tolist() == [3, 5, 7, 10, 14]


def test_a_damaged_shard_is_named(summary):
    (summary.parent / "shard-01.npy").write_bytes(b"\0" * 100)
    with pytest.raises(UserError, match=r"shard-01\.npy: not a readable shard"):
        MelStore(summary)


def test_a_shard_of_other_numbers_is_named(summary):
    np.save(summary.parent / "shard-01.npy", np.zeros((3, 2, 4), np.float32))
    with pytest.raises(UserError, match=r"shard-01\.npy: .* \(float32, expected float16"):
        MelStore(summary)


def test_a_shard_that_shrinks_while_it_is_open_is_named(summary):
    store = MelStore(summary)
    path = summary.parent / "shard-01.npy"
    os.truncate(path, path.stat().st_size - 1)
    assert store.gather([10, 3])[:, 0, 0].tolist() == [10, 3]
    with pytest.raises(UserError, match=r"shard-01\.npy: shorter than when it was opened"):
        store.gather([14])


def test_a_cache_gives_the_same_arrays_and_reads_a_clip_once(summary):
    none, kept = MelStore(summary), MelStore(summary, cache=1e-6)
    order = [14, 3, 10, 5]
    expected = none.gather(order)
    for _ in range(2):
        np.testing.assert_array_equal(kept.gather(order), expected)
    kept.gather(order)[:] = -1
    for path in summary.parent.glob("*.npy"):
        os.truncate(path, 128)
    np.testing.assert_array_equal(kept.gather(order[::-1]), expected[::-1])
    with pytest.raises(UserError, match="shorter than when it was opened"):
        none.gather(order)
    with pytest.raises(UserError, match="shorter than when it was opened"):
        kept.gather([7])


def test_a_cache_keeps_no_more_than_there_is_room_for(summary):
    """A clip of 2 x 4 float16 takes 16 bytes: 40 bytes are two clips."""
    store = MelStore(summary, cache=40e-9)
    store.gather([3, 10, 5])
    for path in summary.parent.glob("*.npy"):
        os.truncate(path, 128)
    assert store.gather([10, 3])[:, 0, 0].tolist() == [10, 3]
    with pytest.raises(UserError, match="shorter than when it was opened"):
        store.gather([5])


def test_shard_and_table_must_fit(summary):
    np.save(summary.parent / "shard-01.npy", np.zeros((2, 2, 4), np.float16))
    with pytest.raises(UserError, match=r"shard-01\.csv: 3 rows, but 2 in the \.npy"):
        MelStore(summary)


def test_a_table_that_was_changed_is_named(summary):
    path = summary.parent / "shard-01.csv"
    path.write_text(path.read_text().replace("14,2", "15,2"))
    with pytest.raises(UserError, match=r"shard-01\.csv: changed since"):
        MelStore(summary)


def test_a_flipped_bit_is_found_when_the_clip_is_read(summary):
    path = summary.parent / "shard-01.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    store = MelStore(summary)
    assert store.gather([10])[0, 0, 0] == 10
    with pytest.raises(UserError, match=r"shard-01\.npy: the spectrogram of clip 14 is damaged"):
        store.gather([3, 14])


def test_a_clip_without_spectrogram_is_named(summary):
    with pytest.raises(KeyError, match="clip 12"):
        MelStore(summary).gather([3, 12])
