from unicodedata import normalize

import pytest

from autotagging.common.errors import UserError
from autotagging.tagging.mapping import read_mapping

CATEGORIES = {
    "rock": "genre",
    "new age": "genre",
    "hip hop": "genre",
    "r&b/soul": "genre",
    "90s": "decade",
    "calm": "mood",
    "female vocals": "vocal",
    "electro": "genre",
    "electronica": "genre",
    "low": "mood",
}


@pytest.fixture
def own(tmp_path):
    def read(text):
        path = tmp_path / "mapping.toml"
        path.write_text(text, encoding="utf-8")
        return read_mapping(path, CATEGORIES)

    return read


def values(mapping, *tags):
    return mapping.values(tags, "genre"), mapping.values(tags, "mood")


def test_the_shipped_mapping_goes_by_category():
    mapping = read_mapping(None, CATEGORIES)
    assert values(mapping, "rock", "calm", "new age") == (("Rock", "New Age"), ("Calm",))
    assert values(mapping, "hip hop", "r&b/soul") == (("Hip-Hop", "R&B/Soul"), ())
    assert values(mapping, "female vocals", "90s", "no such tag") == ((), ())
    assert mapping.unknown == ()


def test_tags_in_either_spelling_of_umlauts_are_the_same(tmp_path):
    path = tmp_path / "mapping.toml"
    text = 'exclude = ["Ärger"]\n[tags]\n"türkü" = { genre = ["Türkü", "Folk"] }\n'
    path.write_text(text, encoding="utf-8")
    saz, anger = (normalize("NFD", tag) for tag in ("türkü", "ärger"))
    mapping = read_mapping(path, {saz: "genre", anger: "mood"})
    assert values(mapping, saz, anger) == (("Türkü", "Folk"), ())
    assert mapping.unknown == ()


def test_hyphens_and_spaces_in_the_name_of_a_tag_are_the_same(own):
    mapping = own('exclude = ["new-age"]\n[tags]\nhip-hop = { genre = "Rap" }\n')
    assert values(mapping, "hip hop", "new age") == (("Rap",), ())
    assert mapping.unknown == ()


def test_at_most_three_values_are_written_each_once():
    mapping = read_mapping(None, CATEGORIES)
    genres = mapping.values(["electro", "electronica", "rock", "hip hop", "new age"], "genre")
    assert genres == ("Electronic", "Rock", "Hip-Hop")


def test_a_mapping_of_ones_own_goes_before_the_shipped_one(own):
    mapping = own("""
        exclude = ["Rock", "missing"]
        title_case = false
        [fields]
        decade = "genre"
        mood = "nothing"
        [most]
        genre = 1
        [tags]
        "HIP HOP" = { genre = "Rap", mood = ["Ünruhig", "Loud"] }
        low = { mood = "Quiet" }
        other = { genre = "x" }
    """)
    assert values(mapping, "rock", "calm") == ((), ())
    assert values(mapping, "90s", "new age") == (("90s",), ())
    assert values(mapping, "hip hop", "low") == (("Rap",), ("Ünruhig", "Loud", "Quiet"))
    assert values(mapping, "electro") == (("Electronic",), ())
    assert mapping.unknown == ("missing", "other")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = ", "not valid TOML"),
        ("[genres]", "'genres' is no part of a mapping; parts are exclude, title_case, "),
        ('title_case = "yes"', "title_case is true or false"),
        ('exclude = "rock"', "exclude is a list of tags"),
        ("fields = 3", r"fields is a table: [fields], then a line for each entry"),
        ('[fields]\ngenre = "title"', "[fields] genre: one of genre, mood, nothing"),
        ("[most]\ntitle = 3", "[most] 'title' is no field; fields are genre, mood"),
        ("[most]\ngenre = true", "[most] genre: a whole number from 1 on"),
        ('[tags]\nrock = "Rock"', "[tags] 'rock': such as { genre = "),
        ("[tags]\nrock = {}", "[tags] 'rock': such as"),
        ('[tags]\nrock = { genre = "a\\u0000b" }', "[tags] 'rock': such as"),
        ('[tags]\nrock = { genre = " " }', "[tags] 'rock': such as"),
        ('[tags]\nrock = { title = "a" }', "[tags] 'rock': such as"),
    ],
)
def test_a_fault_is_named(own, tmp_path, text, message):
    with pytest.raises(UserError) as error:
        own(text)
    assert str(error.value).startswith(f"{tmp_path}/mapping.toml: {message}")


@pytest.mark.parametrize(
    "content", [b"\xff", b"a = " + b"[" * 100_000, b"a = " + b"9" * 10_000], ids=len
)
def test_bytes_that_are_no_text_and_values_that_are_too_large_are_named(tmp_path, content):
    path = tmp_path / "mapping.toml"
    path.write_bytes(content)
    with pytest.raises(UserError, match="not valid TOML"):
        read_mapping(path, CATEGORIES)
