"""The vocabulary: names are the text in the file, and one line names each fault."""

from unicodedata import normalize

import pytest
import yaml

from autotagging.labels.vocabulary import read_vocabulary
from conftest import ROOT
from faults import assert_named


@pytest.fixture
def path(tmp_path):
    return tmp_path / "tags.yaml"


def test_the_vocabulary_of_the_project_is_read_as_yaml_reads_it():
    path = ROOT / "workflow/resources/tags.yaml"
    content = yaml.safe_load(path.read_text())
    vocabulary = read_vocabulary(path)
    assert vocabulary.synonyms == content["synonyms"]
    assert vocabulary.category_of["guitar"] == "instrument"
    assert len(vocabulary.category_of) == sum(map(len, content["categories"].values()))


def test_names_that_yaml_takes_for_numbers_or_nothing_are_text(path):
    path.write_text("synonyms:\n  no: [no, 1980, 1e3]\ncategories: {null: [~, yes]}\n")
    vocabulary = read_vocabulary(path)
    assert vocabulary.synonyms == {"no": ["no", "1980", "1e3"]}
    assert vocabulary.category_of == {"~": "null", "yes": "null"}


def test_names_in_either_spelling_of_umlauts_are_the_same(path):
    text = "synonyms: {bön: [düb]}\ncategories: {gänre: [düb]}\n"
    path.write_text(normalize("NFD", text), encoding="utf-8")
    vocabulary = read_vocabulary(path)
    assert vocabulary.synonyms == {"bön": ["düb"]}
    assert vocabulary.category_of == {"düb": "gänre"}
    assert vocabulary.line("bön", "düb") == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_every_unicode_encoding_of_yaml_is_read(path, encoding):
    path.write_bytes("synonyms: {}\ncategories: {genre: [bossa nova é]}\n".encode(encoding))
    assert read_vocabulary(path).category_of == {"bossa nova é": "genre"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", ", line 1: top level: expected a mapping of lists"),
        (b"synonyms: {}\n", ": no 'categories'; expected mappings of lists under synonyms and"),
        (b"synonyms: {}\ncategories:\n", ", line 2: categories: expected a mapping"),
        (b"synonyms: {}\ncategories:\n  a: [\xe9]\n", ", line 3: invalid continuation byte; "),
        (b"synonyms:\n  a: [b\ncategories: {}\n", ", line 3: "),
        (b"synonyms:\n  a: b\ncategories: {}\n", ", line 2: synonyms: 'a': expected a list"),
        (b"synonyms:\n  a: []\ncategories: {}\n", ", line 2: synonyms: 'a': expected a list"),
        (b"synonyms:\n  a: [[b]]\ncategories: {}\n", ", line 2: synonyms: 'a': expected a text"),
        (b"synonyms:\n  a: [b]\n  a: [c]\ncategories: {}\n", ", line 3: 'a' appears twice"),
        (
            b"synonyms:\n  a:\n  - b\n  c:\n  - b\ncategories: {}\n",
            ", line 5: tag 'b' appears twice, in synonyms: 'a' and 'c'",
        ),
        (
            b"synonyms: {}\ncategories:\n  mood: [b]\n  genre: [b]\n",
            ", line 4: tag 'b' appears twice, in categories: 'mood' and 'genre'",
        ),
        (b"synonyms: {}\ncategories:\n  all: [b]\n", ": a category is named 'all', which means"),
        (b"synonyms:\n " + b"[" * 5000, ", line 2: lists or mappings inside each other too "),
        (b'synonyms:\n  "\\UFFFFFFFF": [b]\n', ", line 2: a code after \\U that no character "),
        (b'synonyms:\n  "\\ud800": [b]\ncategories: {}\n', ", line 2: '\\ud800' has U+D800, a "),
        (b'synonyms:\n  a: [b, "c\\x07"]\ncategories: {}\n', ", line 2: 'c\\x07' has U+0007, a "),
        (b'synonyms: {}\ncategories:\n  "m\\N": [b]\n', ", line 3: 'm\\x85' has U+0085, a "),
        (b'synonyms: {}\ncategories:\n  m: ["b\\L"]\n', ", line 3: 'b\\u2028' has U+2028, a "),
    ],
)  # fmt: skip
def test_faults_are_named(path, content, message):
    assert_named(read_vocabulary, path, content, message)
