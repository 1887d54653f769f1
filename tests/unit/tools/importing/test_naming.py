"""The vocabulary of an import: spellings, categories, synonyms, tags that are left out."""

import pytest

from autotagging.common.errors import UserError
from autotagging.labels.vocabulary import read_vocabulary
from autotagging.tools.importing.cutting import AudioSize
from autotagging.tools.importing.labels import Tag
from autotagging.tools.importing.naming import TagSettings, name_tags, write_vocabulary
from autotagging.tools.importing.songs import Song

SIZE = AudioSize(8000, 8000, 1)


def songs(*tags):
    """Make songs with the given tags: category and name, separated by a slash."""
    return [
        Song("", "", "", tuple(Tag(*tag.split("/")) for tag in each), "", "", "", "", SIZE)
        for each in tags
    ]


def test_spellings_are_one_tag_with_the_name_and_category_of_most_songs():
    named = name_tags(
        songs(
            ["genre/Hip-Hop"], ["genre/hip hop", "mood/dark"], ["genre/hip hop"], ["genre/dark"], []
        ),
        TagSettings(),
    )
    assert named.tags == ["hip hop", "dark"]
    assert named.of_song == [{"hip hop"}, {"hip hop", "dark"}, {"hip hop"}, {"dark"}, set()]
    assert named.songs == {"hip hop": 3, "dark": 2}
    assert named.spellings == {"hip hop": ["Hip-Hop"]}
    assert named.categories == {"genre": ["dark", "hip hop"]}


def test_rare_and_unwanted_tags_are_left_out():
    of = songs(["x/Rock", "x/unknown"], ["x/rock"], ["x/polka"])
    named = name_tags(of, TagSettings(min_songs=2, leave_out=("Unknown",)))
    assert named.tags == ["Rock"]
    assert named.of_song == [{"Rock"}, {"Rock"}, set()]
    with pytest.raises(UserError, match="no tag is left; a smaller --min-songs keeps more"):
        name_tags(of, TagSettings(min_songs=3))


def test_an_edited_vocabulary_has_the_last_word(tmp_path):
    path = tmp_path / "tags.yaml"
    text = "synonyms:\n  loud rock: [ROCK, Punk]\ncategories:\n  mood: [Calm]\n"
    path.write_text(text, encoding="utf-8")
    of = songs(["genre/rock", "genre/calm"], ["genre/punk"], ["genre/no"])
    named = name_tags([*of, of[-1]], TagSettings(vocabulary=path, min_songs=2))
    assert sorted(named.tags) == ["Punk", "ROCK", "no"]  # of one song each, but merged
    named = name_tags(of, TagSettings(vocabulary=path))
    assert sorted(named.tags) == ["Calm", "Punk", "ROCK", "no"]
    write_vocabulary(named, tmp_path / "new.yaml")
    known = read_vocabulary(tmp_path / "new.yaml")
    assert known.synonyms == {"loud rock": ["ROCK", "Punk"]}
    genres = dict.fromkeys(("Punk", "ROCK", "loud rock", "no"), "genre")
    assert known.category_of == {"Calm": "mood", **genres}
    with pytest.raises(UserError, match=r"tags\.yaml, line 2: .*the corpus has no tag 'Punk'"):
        name_tags(of[:1], TagSettings(vocabulary=path))


def test_a_merged_tag_has_the_category_that_the_vocabulary_gives_its_tags(tmp_path):
    path = tmp_path / "tags.yaml"
    path.write_text("synonyms: {house: [House, Techno]}\ncategories: {genre: [House, Techno]}\n")
    of = songs(["other/House"], ["other/Techno"])
    named = name_tags(of, TagSettings(vocabulary=path))
    assert named.categories == {"genre": ["House", "Techno", "house"]}


def test_a_category_of_the_name_all_is_refused(tmp_path):
    of = songs(["all/Rock", "mood/calm"])
    with pytest.raises(UserError, match=r"tag 'Rock' has the category 'all', .*; change --cat"):
        name_tags(of, TagSettings())
    path = tmp_path / "tags.yaml"
    path.write_text("synonyms: {}\ncategories: {genre: [Rock]}\n")
    assert "all" not in name_tags(of, TagSettings(vocabulary=path)).categories
    path.write_text("synonyms: {}\ncategories: {all: [Rock]}\n")
    with pytest.raises(UserError, match=r"tags\.yaml: a category is named 'all', which means all"):
        name_tags(of, TagSettings(vocabulary=path))


def test_a_tag_with_the_name_of_a_column_is_refused():
    with pytest.raises(UserError, match="tag 'clip_id' has the name of another column"):
        name_tags(songs(["x/clip_id"]), TagSettings())
