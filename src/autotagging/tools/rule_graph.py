"""Draw Snakemake's graph of the workflow's rules.

`make screenshots` updates docs/images/rule_graph.svg, which replaces the paper's Fig. 1.
"""

import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from autotagging.common.errors import UserError

_RULES = Path("workflow/rules")
Edge = tuple[str, str]


def rule_graph(*, out: Path) -> None:
    """Draw the workflow's rules and their inputs, from left to right, one colour per step.

    The drawing is the transitive reduction of Snakemake's graph: no arrow leads from merge_tags to
    train, because split needs merge_tags and train needs split. The same graph gives the same
    bytes.

    Parameters
    ----------
    out
        Output: graph as SVG or PNG, by its suffix.

    Raises
    ------
    UserError
        Snakemake gives no graph, for example because of an error in params.yaml.
    """
    from autotagging.tools.graph_drawing import draw, save  # Matplotlib is slow to import

    command = [sys.executable, "-m", "snakemake", "--forceall", "--rulegraph", "dot"]
    asked = subprocess.run(
        command, text=True, capture_output=True, encoding="utf-8", errors="replace"
    )
    if asked.returncode:
        reason = " ".join(asked.stderr.split()) or "no reason given"
        raise UserError(f"`snakemake --rulegraph` failed: {reason}")
    rules, edges = parse_dot(asked.stdout)
    figure = draw(rules, reduce_edges(edges), steps_of(_RULES))
    save(figure, out)


def parse_dot(text: str) -> tuple[list[str], set[Edge]]:
    """Read the names of the rules, sorted, and the edges (from, to) of Snakemake's dot text."""
    names = dict(re.findall(r'^\s*(\d+)\[label = "(\w+)"', text, flags=re.MULTILINE))
    edges = re.findall(r"^\s*(\d+) -> (\d+)", text, flags=re.MULTILINE)
    return sorted(names.values()), {(names[start], names[end]) for start, end in edges}


def reduce_edges(edges: set[Edge]) -> set[Edge]:
    """Remove every edge whose end is also reached from its start over other edges."""
    after: dict[str, set[str]] = {}
    for start, end in edges:
        after.setdefault(start, set()).add(end)

    def reached(rule: str) -> set[str]:
        found = after.get(rule, set())
        return found.union(*map(reached, found))

    return {
        (start, end)
        for start, end in edges
        if not any(end in reached(other) for other in after[start])
    }


def layers_of(rules: Iterable[str], edges: set[Edge]) -> dict[str, int]:
    """Give each rule its column, from 0 on the left: the length of the longest path to it."""
    before: dict[str, list[str]] = {rule: [] for rule in rules}
    for start, end in edges:
        before[end].append(start)

    def layer(rule: str) -> int:
        return 1 + max(map(layer, before[rule]), default=-1)

    return {rule: layer(rule) for rule in before}


def steps_of(folder: Path) -> dict[str, str]:
    """Map each rule to its step, which is the name of the rule's file."""
    return {
        rule: path.stem
        for path in sorted(folder.glob("*.smk"))
        for rule in re.findall(
            r"^ *rule (\w+):", path.read_text(encoding="utf-8"), flags=re.MULTILINE
        )
    }
