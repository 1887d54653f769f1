import numpy as np
import pytest

from autotagging.features.sampling import choose, rows_per_clip


@pytest.mark.parametrize(
    ("n_clips", "n_rows", "counts"),
    [
        (4, 8, [2, 2, 2, 2]),
        (4, 10, [2, 3, 2, 3]),
        (4, 1, [0, 0, 0, 1]),
        (3, 0, [0, 0, 0]),
        (0, 9, []),
    ],
)
def test_rows_are_divided_evenly(n_clips, n_rows, counts):
    assert rows_per_clip(n_clips, n_rows).tolist() == counts


def test_a_full_corpus_gets_the_whole_sample():
    counts = rows_per_clip(19_773, 200_000)
    assert counts.sum() == 200_000
    assert set(counts) == {10, 11}


def test_rows_are_distinct_in_order_and_within_the_clip():
    rows = choose(0, 7, 1366, 200)
    assert len(set(rows)) == 200
    assert rows.tolist() == sorted(rows)
    assert 0 <= rows[0] < rows[-1] < 1366


def test_a_short_clip_gives_all_its_rows():
    assert choose(0, 0, 3, 10).tolist() == [0, 1, 2]
    assert choose(0, 0, 0, 10).tolist() == []


def test_rows_depend_on_the_seed_and_the_clip_alone():
    first = [choose(5, clip, 1000, 20).tolist() for clip in range(4)]
    backwards = [choose(5, clip, 1000, 20).tolist() for clip in reversed(range(4))]
    assert backwards[::-1] == first
    assert len(set(map(tuple, first))) == 4
    assert choose(6, 0, 1000, 20).tolist() != first[0]


def test_each_row_is_as_likely():
    chosen = np.concatenate([choose(0, clip, 10, 3) for clip in range(2000)])
    # 600 expected of each; the standard deviation is 20.5.
    assert np.abs(np.bincount(chosen, minlength=10) - 600).max() < 4 * 20.5
