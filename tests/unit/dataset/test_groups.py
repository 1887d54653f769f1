import pytest

from autotagging.common.errors import UserError
from autotagging.dataset.groups import read_groups


def test_names_are_text_also_where_they_are_empty_or_numbers(tmp_path):
    path = tmp_path / "groups.csv"
    path.write_text("clip_id,track,album,artist\n7,u#1,99/1999,99\n8,#,NA/,NA\n")
    groups = read_groups(path)
    assert groups.index.tolist() == [7, 8]
    assert groups.to_numpy().tolist() == [["u#1", "99/1999", "99"], ["#", "NA/", "NA"]]


def test_another_table_is_refused(tmp_path):
    path = tmp_path / "groups.csv"
    path.write_text("clip_id,track\n7,u#1\n")
    with pytest.raises(UserError, match="no column 'album'"):
        read_groups(path)
