"""The graph of the rules: what is read of Snakemake's dot text, and what is drawn of it."""

import re
import subprocess

import pytest

from autotagging.common.errors import UserError
from autotagging.tools import rule_graph as module
from autotagging.tools.rule_graph import (
    draw,
    layers_of,
    parse_dot,
    reduce_edges,
    rule_graph,
    steps_of,
)
from conftest import ROOT

# get -> cut -> fit -> table_1 -> all; get -> fit and table_1 -> page -> all are there as well.
DOT = """digraph snakemake_dag {
    graph[bgcolor=white, margin=0];
    edge[penwidth=2, color=grey];
	0[label = "all", color = "0.00 0.6 0.85", style="rounded"];
	1[label = "get", color = "0.25 0.6 0.85", style="dashed,rounded"];
	2[label = "cut", color = "0.44 0.6 0.85", style="rounded"];
	10[label = "fit", color = "0.12 0.6 0.85", style="rounded"];
	4[label = "table_1", color = "0.12 0.6 0.85", style="rounded"];
	5[label = "page", color = "0.12 0.6 0.85", style="rounded"];
	1 -> 2
	1 -> 10
	2 -> 10
	10 -> 4
	4 -> 5
	4 -> 0
	5 -> 0
}
"""
STEPS = {"get": "get", "cut": "cut", "fit": "fit", "table_1": "figures", "page": "figures"}


def test_rules_and_edges_are_read_from_dot():
    rules, edges = parse_dot(DOT)
    assert rules == ["all", "cut", "fit", "get", "page", "table_1"]
    assert len(edges) == 7
    assert {("get", "cut"), ("cut", "fit"), ("page", "all")} < edges


def test_an_edge_is_left_out_where_a_longer_way_says_the_same():
    _, edges = parse_dot(DOT)
    assert edges - reduce_edges(edges) == {("get", "fit"), ("table_1", "all")}


def test_a_rule_stands_right_of_all_that_it_needs():
    rules, edges = parse_dot(DOT)
    layers = layers_of(rules, edges)
    assert layers == {"get": 0, "cut": 1, "fit": 2, "table_1": 3, "page": 4, "all": 5}


def test_the_step_of_a_rule_is_its_file(tmp_path):
    (tmp_path / "mel.smk").write_text("rule mel_shard:\n    input: []\n\n\nrule mel:\n")
    (tmp_path / "figures.smk").write_text("if MODELS:\n\n    rule figure_2:\n")
    assert steps_of(tmp_path) == {"mel_shard": "mel", "mel": "mel", "figure_2": "figures"}


def test_every_step_has_a_colour_of_its_own():
    steps = set(steps_of(ROOT / "workflow/rules").values())
    assert steps == set(module._COLOURS)
    assert len({*module._COLOURS.values(), module._OTHER}) == len(steps) + 1


def test_every_rule_and_edge_is_drawn_and_no_boxes_overlap():
    rules, edges = parse_dot(DOT)
    figure = draw(rules, reduce_edges(edges), STEPS)
    drawn = [patch.get_gid() for patch in figure.axes[0].patches]
    assert sorted(gid for gid in drawn if gid.startswith("rule-")) == [f"rule-{r}" for r in rules]
    assert len([gid for gid in drawn if gid.startswith("edge-")]) == 5
    boxes = [
        patch.get_window_extent()
        for patch in figure.axes[0].patches
        if patch.get_gid().startswith("rule-")
    ]
    pairs = [(one, other) for i, one in enumerate(boxes) for other in boxes[:i]]
    assert not any(one.overlaps(other) for one, other in pairs)


@pytest.fixture
def answer(monkeypatch):
    """Function that makes snakemake give this answer."""

    def give(stdout):
        result = subprocess.CompletedProcess([], 0, stdout)
        monkeypatch.setattr(module, "run", lambda *_, **__: result)
        monkeypatch.setattr(module, "steps_of", lambda _: STEPS)

    return give


def test_the_same_graph_gives_the_same_bytes(answer, tmp_path):
    answer(DOT)
    rule_graph(out=tmp_path / "one.svg")
    head, *lines = DOT.splitlines(keepends=True)
    answer(head + "".join(reversed(lines)))
    rule_graph(out=tmp_path / "two.svg")
    svg = (tmp_path / "one.svg").read_text()
    assert svg == (tmp_path / "two.svg").read_text()
    assert set(re.findall(r'id="rule-(\w+)"', svg)) == {*STEPS, "all"}


def test_other_kinds_of_files_are_refused(answer, tmp_path):
    answer(DOT)
    with pytest.raises(UserError, match=r"graph\.pdf: .* \.svg or \.png"):
        rule_graph(out=tmp_path / "graph.pdf")
