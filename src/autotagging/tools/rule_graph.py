"""Draw Snakemake's graph of the workflow's rules.

`make screenshots` updates docs/images/rule_graph.svg, which replaces the paper's Fig. 1.
"""

import re
from collections.abc import Iterable
from pathlib import Path

import networkx as nx
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path as Curve

from autotagging.common.errors import UserError
from autotagging.reporting.plots import style
from autotagging.tools._engines import run

_RULES = Path("workflow/rules")
_FIGURES = "figures"
_COLOURS = {
    "download": style.GREY,
    "merge_tags": style.ORANGE,
    "split": style.VERMILION,
    "extract_mel": style.GREEN,
    "train": style.BLUE,
    "evaluate": style.SKY,
    _FIGURES: style.PURPLE,
}
_OTHER = "#000000"
# Vertical position of a step's rules: 0 is the top, 1 the bottom.
_HEIGHTS = {
    "download": 0.16,
    "extract_mel": 0.0,
    "merge_tags": 0.32,
    "split": 0.55,
    "evaluate": 0.45,
    "train": 0.84,
}
_ROW = 0.19  # distance of the figures' boxes, in inches
_BOX = 0.15  # height of a box, in inches
_GAP = 0.3  # between columns, in inches
_LETTER = 0.058  # width of a letter, in inches

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
        The suffix is another; or Snakemake gives no graph, for example because of an error in
        params.yaml.
    """
    if out.suffix not in (".svg", ".png"):
        raise UserError(f"{out}: the drawing is written as .svg or .png only")
    asked = run("snakemake", "--forceall", "--rulegraph", "dot", capture=True)
    rules, edges = parse_dot(asked.stdout)
    figure = draw(rules, reduce_edges(edges), steps_of(_RULES))
    style.write_figure(figure, out, title="Rules of the workflow, from inputs to results")


def parse_dot(text: str) -> tuple[list[str], set[Edge]]:
    """Read the names of the rules, sorted, and the edges (from, to) of Snakemake's dot text."""
    names = dict(re.findall(r'^\s*(\d+)\[label = "(\w+)"', text, flags=re.MULTILINE))
    edges = re.findall(r"^\s*(\d+) -> (\d+)", text, flags=re.MULTILINE)
    return sorted(names.values()), {(names[start], names[end]) for start, end in edges}


def reduce_edges(edges: set[Edge]) -> set[Edge]:
    """Remove every edge whose end is also reached from its start over other edges."""
    return set(nx.transitive_reduction(nx.DiGraph(edges)).edges)


def layers_of(rules: Iterable[str], edges: set[Edge]) -> dict[str, int]:
    """Give each rule its column, from 0 on the left: the length of the longest path to it."""
    graph = nx.DiGraph(edges)
    graph.add_nodes_from(rules)
    columns = enumerate(nx.topological_generations(graph))
    return {rule: column for column, names in columns for rule in names}


def steps_of(folder: Path) -> dict[str, str]:
    """Map each rule to its step, which is the name of the rule's file."""
    return {
        rule: path.stem
        for path in sorted(folder.glob("*.smk"))
        for rule in re.findall(
            r"^ *rule (\w+):", path.read_text(encoding="utf-8"), flags=re.MULTILINE
        )
    }


@style.styled
def draw(rules: list[str], edges: set[Edge], steps: dict[str, str]) -> Figure:
    """Draw the rules as boxes in columns, and the edges as arrows in the colour of their start.

    Parameters
    ----------
    rules
        Names of the rules.
    edges
        Pairs (from, to) of rules.
    steps
        Step of each rule; rules without a step are black.
    """
    columns = _arrange(rules, edges, steps)
    height = _ROW * max(map(len, columns)) + 0.25
    widths = [_LETTER * max(map(len, column)) + 0.1 for column in columns]
    lefts = [sum(widths[:i]) + _GAP * i for i in range(len(columns))]
    figure = style.new_figure(lefts[-1] + widths[-1] + 0.04, height)
    figure.set_layout_engine("none")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(-0.02, lefts[-1] + widths[-1] + 0.02), ylim=(0, height))
    axes.axis("off")
    sides = {}
    for column, left, width in zip(columns, lefts, widths, strict=True):
        for rule, share in column.items():
            y = height - 0.22 - share * (height - 0.34)
            sides[rule] = (left, left + width, y)
    for start, end in sorted(edges):
        arrow = _draw_edge(axes, sides[start], sides[end], _colour(start, steps))
        arrow.set_gid(f"edge-{start}-{end}")
    for rule in rules:
        _draw_box(axes, rule, sides[rule], _colour(rule, steps))
    return figure


def _arrange(rules: list[str], edges: set[Edge], steps: dict[str, str]) -> list[dict[str, float]]:
    """Arrange the rules in columns from left to right: position (0 top, 1 bottom) by name."""
    layers = layers_of(rules, edges)
    drawn = {rule for rule in rules if steps.get(rule) == _FIGURES}
    first = 1 + max(layers[rule] for rule in rules if rule in steps and rule not in drawn)
    inner = layers_of(drawn, {edge for edge in edges if drawn.issuperset(edge)})
    layers.update({rule: first + layer for rule, layer in inner.items()})
    last = max(layers[rule] for rule in rules if rule in steps)
    layers.update({rule: last + 1 for rule in rules if rule not in steps})
    columns: list[dict[str, float]] = [{} for _ in range(last + 2)]
    heights = {rule: _HEIGHTS.get(steps.get(rule, ""), 0.5) for rule in rules}
    column = sorted(rule for rule in drawn if layers[rule] == first)
    column.sort(key=lambda rule: _order(rule, edges, heights, drawn))
    heights.update({rule: i / max(len(column) - 1, 1) for i, rule in enumerate(column)})
    for rule in sorted(rules, key=lambda rule: (layers[rule], rule)):
        if layers[rule] > first:
            above = [heights[start] for start, end in edges if end == rule]
            heights[rule] = sum(above) / len(above)
        columns[layers[rule]][rule] = heights[rule]
    return columns


def _order(
    rule: str, edges: set[Edge], heights: dict[str, float], drawn: set[str]
) -> tuple[float, bool]:
    """Sort figures by the topmost rule that they need; those that others need go to the middle."""
    height = min(heights[start] for start, end in edges if end == rule)
    needed = any(start == rule and end in drawn for start, end in edges)
    return height, needed == (height < 0.5)


def _colour(rule: str, steps: dict[str, str]) -> str:
    return _COLOURS.get(steps.get(rule, ""), _OTHER)


def _draw_box(axes, rule: str, side: tuple[float, float, float], colour: str) -> None:
    left, right, y = side
    tint = [0.82 + 0.18 * part for part in to_rgb(colour)]
    box = FancyBboxPatch(
        (left, y - _BOX / 2),
        right - left,
        _BOX,
        boxstyle="round,pad=0,rounding_size=0.04",
        facecolor=tint,
        edgecolor=colour,
        linewidth=0.9,
        zorder=3,
        gid=f"rule-{rule}",
    )
    axes.add_patch(box)
    axes.text((left + right) / 2, y, rule, ha="center", va="center_baseline", zorder=4)


def _draw_edge(axes, start: tuple, end: tuple, colour: str) -> FancyArrowPatch:
    """Draw an arrow straight to the gap before the end's column, then bent to the end's height."""
    (_, x0, y0), (x1, _, y1) = start, end
    bend = x1 - _GAP
    middle = (bend + x1) / 2
    points = [(x0, y0), (bend, y0), (middle, y0), (middle, y1), (x1, y1)]
    codes = [Curve.MOVETO, Curve.LINETO, Curve.CURVE4, Curve.CURVE4, Curve.CURVE4]
    arrow = FancyArrowPatch(
        path=Curve(points, codes),
        arrowstyle="-|>,head_length=2.2,head_width=1.3",
        color=colour,
        linewidth=0.8,
        shrinkA=0,
        shrinkB=0,
        zorder=2,
    )
    return axes.add_patch(arrow)
