"""Tags may have names that programs take for missing values, numbers or booleans."""

import json

import pandas as pd
import yaml

from autotagging.common.tables import read_table
from autotagging.dataset.subsets import read_labels
from autotagging.reporting.outputs import FigureFiles, TableFiles
from autotagging.reporting.tables.files import save_table
from autotagging.steps.figures.tag_scores import tag_scores
from commands import evaluate_lookup, merge_tags
from conftest import write_table


def test_merging_keeps_the_names(tmp_path):
    names = ["NA", "null", "nan", "007", "1e5", "True"]
    annotations = pd.DataFrame({"clip_id": [1, 2], "mp3_path": ["0/a.mp3", "0/b.mp3"]})
    annotations[names] = 1
    write_table(tmp_path / "annotations_final.csv", annotations)
    vocabulary = tmp_path / "tags.yaml"
    vocabulary.write_text(yaml.safe_dump({"synonyms": {"NA": ["NA", "null"]}, "categories": {}}))
    merge_tags(tmp_path / "annotations_final.csv", vocabulary, tmp_path)
    kept = sorted({*names} - {"null"})
    assert [*read_labels(tmp_path / "labels.csv")][1:] == kept
    tags = read_table(tmp_path / "tags.csv", {"tag": str, "merged_from": str})
    assert tags["tag"].tolist() == kept
    assert tags["merged_from"].tolist() == [name.replace("NA", "NA;null") for name in kept]


def test_training_and_evaluation_keep_the_names(lookup):
    assert json.loads((lookup / "model.json").read_text())["tags"] == ["NA", "007"]
    evaluate_lookup(lookup)
    lines = (lookup / "per_tag.csv").read_text().splitlines()
    assert [line.split(",")[:2] for line in lines[1:]] == [["NA", "mood"], ["007", "genre"]]


def test_a_name_is_data_for_programs_and_text_for_readers(tmp_path):
    names = ["=1+1", "@a", "<b>&amp;", "50%_{x}", "a|b"]
    table = TableFiles(*(tmp_path / name for name in ("csv", "md", "html", "tex")))
    save_table(pd.DataFrame({"tag": names}), table, caption="Tags.")
    assert read_table(table.csv, {"tag": str})["tag"].tolist() == names
    assert "a\\|b" in table.md.read_text()
    page = table.html.read_text()
    assert "<b>" not in page
    assert "&lt;b&gt;&amp;amp;" in page
    assert r"50\%\_\{x\}" in table.tex.read_text()


def test_figures_show_the_names(lookup, tmp_path):
    evaluate_lookup(lookup)
    metrics, table = lookup / "metrics.json", TableFiles(*(tmp_path / name for name in "cmht"))
    figure = FigureFiles(tmp_path / "figure.svg", tmp_path / "figure.png")
    per_tag = [lookup / "per_tag.csv"]
    tag_scores(per_tag=per_tag, metrics=[metrics], figure_files=figure, table_files=table)
    assert read_table(table.csv, {"tag": str})["tag"].tolist() == ["NA", "007"]
    assert "| NA | mood |" in table.md.read_text()
