import pandas as pd
import pytest

from autotagging.common.errors import UserError
from autotagging.dataset.groups import group_ids, group_numbers, read_groups


def test_names_are_text_also_where_they_are_numbers_and_empty_ones_are_missing(tmp_path):
    path = tmp_path / "groups.csv"
    path.write_text("clip_id,track,album,artist\n7,u#1,99/1999,99\n8,,NA/NA,NA\n")
    groups = read_groups(path)
    assert groups.index.tolist() == [7, 8]
    assert groups.loc[7].tolist() == ["u#1", "99/1999", "99"]
    assert groups.loc[8, ["album", "artist"]].tolist() == ["NA/NA", "NA"]
    assert groups["track"].isna().tolist() == [False, True]


def test_an_unknown_group_is_a_group_of_its_own():
    groups = pd.DataFrame(
        {
            "track": ["t", "t", None, None, "s", "s"],
            "album": None,
            "artist": ["X", "X", None, None, None, None],
        },
        index=[1, 2, 3, 4, 5, 6],
    )
    clips = pd.Index([6, 5, 4, 3, 2, 1, 9, 8])
    of_track, of_album, of_artist = (
        group_ids(groups, level, clips).tolist() for level in ("track", "album", "artist")
    )
    for ids in (of_track, of_artist):
        assert ids[0] == ids[1]  # clips 6 and 5: one track, so one artist, although it is unknown
        assert ids[4] == ids[5]
        assert len(set(ids)) == 6
    assert of_artist[4] == "X"
    assert len(set(of_album)) == 6  # those of a track have one album, too


def test_an_artist_that_is_known_of_a_part_of_a_track_is_that_of_all_its_clips():
    names = {"track": ["t", "t", "s", None], "album": None, "artist": [None, "X", "Y", None]}
    ids = group_ids(pd.DataFrame(names), "artist", pd.RangeIndex(4)).tolist()
    assert ids[:3] == ["X", "X", "Y"]
    assert ids[3] not in ids[:3]


def test_clips_of_unknown_tracks_have_numbers_of_their_own():
    groups = pd.DataFrame(
        {"track": ["t", None, None, "s", "t"], "album": None, "artist": None}, index=[0, 1, 2, 3, 4]
    )
    numbers = group_numbers(groups, "track", pd.Index([4, 2, 0, 1, 3, 77]))
    assert numbers.dtype == "int64"
    assert numbers[0] == numbers[2]
    assert len(set(numbers)) == 5
    assert group_numbers(groups, "track", pd.Index([3, 1])).tolist() == [numbers[4], numbers[3]]


def test_another_table_is_refused(tmp_path):
    path = tmp_path / "groups.csv"
    path.write_text("clip_id,track\n7,u#1\n")
    with pytest.raises(UserError, match="no column 'album'"):
        read_groups(path)
