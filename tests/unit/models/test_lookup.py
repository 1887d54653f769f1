import numpy as np
import pandas as pd
import pytest

from autotagging.models.lookup import fit_lookup, fits_lookup, score_lookup

LABELS = pd.DataFrame({"t": [1, 0, 0, 0]}, index=[1, 2, 3, 4])
GROUPS = pd.DataFrame(
    {
        "track": ["a1", "a1", "a2", "b1", "a1", "a3", "b2", "c1"],
        "album": ["A", "A", "A", "B", "A", "A", "B2", "C"],
        "artist": ["X", "X", "X", "Y", "X", "X", "Y", "Z"],
    },
    index=[1, 2, 3, 4, 5, 6, 7, 8],
)
"""Four training clips, one of them with the tag: the prior is 1/4."""


@pytest.fixture
def scores():
    arrays = fit_lookup(LABELS, GROUPS)
    tested = score_lookup(arrays, GROUPS.loc[[5, 6, 7, 8]], pseudo_count=1.0)
    return dict(zip([5, 6, 7, 8], tested[:, 0].tolist(), strict=True))


def test_a_clip_of_an_unknown_artist_gets_the_prior(scores):
    assert scores[8] == pytest.approx(1 / 4)


def test_a_new_album_gets_the_artists_shrunk_to_the_prior(scores):
    # Y: no positive in one clip: (0 + 1/4) / 2.
    assert scores[7] == pytest.approx(1 / 8)


def test_a_new_track_gets_the_albums_shrunk_to_the_artists(scores):
    # X: (1 + 1/4) / 4 = 5/16; A: (1 + 5/16) / 4 = 21/64.
    assert scores[6] == pytest.approx(21 / 64)


def test_a_known_track_gets_its_own_shrunk_to_the_albums(scores):
    # a1: one positive in two clips: (1 + 21/64) / 3.
    assert scores[5] == pytest.approx(85 / 192)


def test_a_tag_of_no_or_all_training_clips_is_neither_impossible_nor_certain():
    labels = LABELS.assign(t=0, u=1)
    scores = score_lookup(fit_lookup(labels, GROUPS), GROUPS.loc[[8]], pseudo_count=1.0)
    assert scores.tolist() == [pytest.approx([0.1, 0.9])]


def test_clips_without_clip_info_get_the_prior():
    arrays = fit_lookup(LABELS, GROUPS)
    unknown = GROUPS.reindex([99])
    assert score_lookup(arrays, unknown, pseudo_count=1.0)[0, 0] == pytest.approx(1 / 4)


def test_unknown_groups_are_not_one_group():
    """Without a known artist or album, only the tracks count; without any, the prior."""
    unknown = GROUPS.assign(album=None, artist=None)
    arrays = fit_lookup(LABELS, unknown)
    tested = score_lookup(arrays, unknown.loc[[5, 7]], pseudo_count=1.0)[:, 0]
    # a1: one positive in two clips: (1 + 1/4) / 3.
    assert tested.tolist() == pytest.approx([5 / 12, 1 / 4])
    assert fits_lookup(arrays, n_tags=1)
    nothing = GROUPS.assign(track=None, album=None, artist=None)
    arrays = fit_lookup(LABELS, nothing)
    assert score_lookup(arrays, GROUPS, pseudo_count=1.0)[:, 0].tolist() == [0.25] * 8


def test_the_counts_survive_the_disk_without_pickle(tmp_path):
    from autotagging.common.files import load_arrays, save_arrays

    arrays = fit_lookup(LABELS, GROUPS)
    save_arrays(tmp_path / "weights.npz", arrays)
    loaded = load_arrays(tmp_path / "weights.npz")
    np.testing.assert_array_equal(
        score_lookup(loaded, GROUPS, pseudo_count=2.0),
        score_lookup(arrays, GROUPS, pseudo_count=2.0),
    )
