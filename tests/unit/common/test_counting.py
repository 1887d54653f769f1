"""Numbers with their nouns, in messages."""

from autotagging.common.counting import counted


def test_a_noun_is_in_the_singular_for_one_thing_alone():
    assert [counted(count, "clip") for count in (0, 1, 2)] == ["0 clips", "1 clip", "2 clips"]
    files = [counted(count, "row or file", "rows or files") for count in (1, 2)]
    assert files == ["1 row or file", "2 rows or files"]
