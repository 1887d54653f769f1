"""Text is UTF-8 whatever the locale: in files, in pipes, on the command line and in messages."""

import ast

import pandas as pd
import pytest

from autotagging.common.files import read_json
from autotagging.dataset.groups import read_groups
from autotagging.dataset.subsets import read_labels
from commands import download, merge_tags
from conftest import ROOT, write_table


def without_encoding(source):
    """Lines of calls that read or write text in the encoding of the locale.

    Ruff's PLW1514 sees only paths whose type is written next to them, and no subprocess.
    """
    return [
        call.lineno
        for call in ast.walk(ast.parse(source))
        if isinstance(call, ast.Call) and is_text(call)
        if "encoding" not in {keyword.arg for keyword in call.keywords}
    ]


def is_text(call):
    """Whether a call opens a file or a pipe as text."""
    flags = {keyword.arg: getattr(keyword.value, "value", None) for keyword in call.keywords}
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    if name in ("read_text", "write_text"):
        return True
    if name in ("open", "fdopen"):
        given = [*call.args, *(keyword.value for keyword in call.keywords)]
        texts = [getattr(node, "value", None) for each in given for node in ast.walk(each)]
        binary = any(isinstance(text, str) and "b" in text for text in texts)
        owner = getattr(call.func, "value", None)
        module = getattr(owner, "id", getattr(owner, "attr", ""))
        return not binary and module not in ("os", "gzip", "zipfile", "_zip", "archive", "Image")
    return bool(flags.get("text") or flags.get("universal_newlines"))


@pytest.mark.parametrize("folder", ["src", "benchmarks", "workflow"])
def test_no_code_asks_the_locale(folder):
    asking = {
        str(path.relative_to(ROOT)): lines
        for path in sorted((ROOT / folder).rglob("*.py"))
        if (lines := without_encoding(path.read_text(encoding="utf-8")))
    }
    assert asking == {}


@pytest.mark.parametrize(
    "code",
    ["p.read_text()", "p.write_text(t)", "p.open()", "open(p, 'w')", "run(c, text=True)"],
)
def test_code_that_asks_the_locale_is_found(code):
    assert without_encoding(code) == [1]
    assert without_encoding(f"{code[:-1]}, encoding='utf-8')".replace("(,", "(")) == []


@pytest.mark.parametrize("code", ["p.open('rb')", "open(p, 'ab')", "os.open(p, 1)", "gzip.open(p)"])
def test_bytes_need_no_encoding(code):
    assert without_encoding(code) == []


def test_any_character_passes_in_a_locale_of_ascii(tmp_path):
    """A corpus, a tag, a vocabulary and results with umlauts, in UTF-8 when they come out."""
    corpus, results = tmp_path / "Käse", tmp_path / "Größe"
    (corpus / "0").mkdir(parents=True)
    (corpus / "0/a.mp3").write_bytes(b"audio")
    clips = pd.DataFrame({"clip_id": [7], "fröhlich": [1], "日本": [1], "mp3_path": ["0/a.mp3"]})
    write_table(corpus / "annotations_final.csv", clips)
    info = {"clip_id": [7], "track_number": [1], "artist": ["Ä"], "album": ["ß"], "url": ["u"]}
    write_table(corpus / "clip_info_final.csv", pd.DataFrame(info))
    vocabulary = tmp_path / "ä.yaml"
    vocabulary.write_text("synonyms: {}\ncategories: {Gefühl: [fröhlich]}\n", encoding="utf-8")
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0"}
    download(corpus, results, env=ascii_only)
    assert read_json(results / "audio.json")["title"] == "folder Käse"
    assert read_groups(results / "groups.csv")["artist"].tolist() == ["Ä"]
    merge_tags(results / "annotations_final.csv", vocabulary, results, env=ascii_only)
    assert [*read_labels(results / "labels.csv")] == ["mp3_path", "fröhlich", "日本"]
    message = merge_tags(results / "weiß.csv", vocabulary, results, env=ascii_only, code=2)
    assert message == f"autotagging: {results}/weiß.csv: no such file or folder\n"
