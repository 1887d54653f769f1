"""docs/paper.md names the parameters there are, and every choice of the experiment."""

import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from autotagging.common.params import read_schema
from autotagging.corpus.tables import find_table, read_annotations
from autotagging.labels.tags import merge_synonyms, merged_names, most_frequent
from autotagging.models import MODELS
from conftest import ROOT

PAGE = (ROOT / "docs/paper.md").read_text(encoding="utf-8")
PARAMS = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
SECTIONS = ("split", "merge_tags", "extract_mel", "train", "evaluate")
NO_CHOICE_OF_THE_EXPERIMENT = {
    "extract_mel.shards",  # files to cut the spectrograms into
    "extract_mel.tolerance",  # which clips are bad, and how many may be
    "extract_mel.longest",
    "extract_mel.max_bad",
    "train.checkpoint_minutes",  # how much work a kill may cost
    "train.xla",  # speed only
    "train.cache",  # memory and speed only
    "evaluate.batch_size",  # memory and speed only
}
FILE = re.compile(r"`([\w./-]+(?:\.py|\.yaml|\.md|/))`")
NOTE = re.compile(r"<sup>(\d+)</sup>")
PARAMETER = re.compile(r"`([a-z_][a-z_0-9]*(?:\.[a-z_][a-z_0-9]*)+)(?:: ([^`]+))?`")


def leaves(section, prefix):
    """Names of all parameters in a section, nested ones as section.sub.key."""
    for key, value in section.items():
        name = f"{prefix}.{key}"
        yield from leaves(value, name) if isinstance(value, dict) else [name]


NAMES = {
    name
    for section, content in PARAMS.items()
    if isinstance(content, dict)
    for name in leaves(content, section)
}
MENTIONED = [
    (name, value)
    for name, value in PARAMETER.findall(PAGE)
    if not re.search(r"\.(py|yaml|md|csv|json)$", name)
]


def test_every_parameter_on_the_page_exists():
    assert {name for name, _ in MENTIONED} - NAMES == set()


def test_every_value_on_the_page_is_allowed():
    schema = read_schema(ROOT / "workflow/schemas")
    given = [(name, value) for name, value in MENTIONED if value]
    assert given
    for name, value in given:
        described = schema
        for key in name.split("."):
            described = described["properties"][key]
        jsonschema.validate(yaml.safe_load(value), described)


def test_every_choice_of_the_experiment_is_on_the_page():
    others = tuple(f"train.{model}." for model in {*MODELS} - {"crnn", "lookup"})
    choices = {
        name
        for name in NAMES
        if name.startswith(tuple(f"{s}." for s in SECTIONS)) and not name.startswith(others)
    }
    missing = choices - NO_CHOICE_OF_THE_EXPERIMENT - {name for name, _ in MENTIONED}
    assert missing == set(), "add a row to docs/paper.md, or list them in this test with a reason"
    assert choices >= NO_CHOICE_OF_THE_EXPERIMENT


@pytest.mark.parametrize("file", sorted(set(FILE.findall(PAGE))))
def test_every_file_on_the_page_exists(file):
    exists = Path.is_dir if file.endswith("/") else Path.is_file
    assert any(exists(folder / file) for folder in (ROOT, ROOT / "src/autotagging"))


def test_a_cell_of_a_table_has_at_most_a_dozen_words():
    rows = [line for line in PAGE.splitlines() if line.startswith("| ")]
    cells = [cell for row in rows for cell in NOTE.sub("", row).strip("|").split("|")]
    assert [cell for cell in cells if len(cell.split()) > 12] == []


@pytest.mark.parametrize("section", [text for text in PAGE.split("\n## ") if NOTE.search(text)])
def test_every_note_is_there_once_and_in_order(section):
    notes = re.findall(r"^(\d+)\. ", section, flags=re.MULTILINE)
    assert NOTE.findall(section) == notes == [str(i + 1) for i in range(len(notes))]


def test_what_the_page_says_of_figure_6_and_of_the_order_of_merging(magnatagatune):
    annotations = read_annotations(find_table(magnatagatune, "annotations_final.csv"))
    raw = annotations.drop(columns=["clip_id", "mp3_path"])
    groups = yaml.safe_load((ROOT / "workflow/resources/tags.yaml").read_text())["synonyms"]
    merged = merge_synonyms(raw, groups)
    assert not merged[["techno", "piano", "violin"]].all(axis=1).any()
    assert merged_names(raw.columns, groups)[most_frequent(raw, 50)].nunique() == 37
