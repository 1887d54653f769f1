"""Figures of clips per tag, before and after merging (sec. II.A, Fig. 2)."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.legend_handler import HandlerTuple
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from autotagging.reporting.plots.style import (
    BLUE,
    COLUMN,
    ORANGE,
    PAGE,
    SKY,
    log_counts,
    new_figure,
    styled,
)
from autotagging.reporting.plots.text import fitted, wrap
from autotagging.reporting.tables.tag_counts import merged

_FEW = 30  # tags whose ranks are marked on the lines


@styled
def figure_2(tags: pd.DataFrame, raw_tags: pd.DataFrame, *, caption: str = "") -> Figure:
    """Draw the merging of tags: a bar per kept tag, a segment per raw tag, synonyms listed.

    A clip with several raw tags of a group counts in each of their segments, but once in the
    merged tag, whose count is a black mark. Tags that are not merged have neither mark nor legend.

    Parameters
    ----------
    tags : (kept tags, 4)
        tag, category, count, merged_from; most frequent first.
    raw_tags : (raw tags, 4)
        raw_tag, count, merged_into, kept (0 or 1).
    caption
        Corpus and clips.
    """
    are_merged, n_merged = merged(raw_tags), raw_tags["merged_into"].nunique()
    merging = f" → {n_merged} after merging synonyms" if are_merged else ", not merged"
    caption = f"{len(raw_tags)} raw tags{merging} → {len(tags)} most frequent kept. {caption}"
    synonyms = [
        wrap("+\xa0" + ", ".join(fitted(name, 3.0).replace(" ", "\xa0") for name in names), 3.3)
        if names
        else ""
        for names in (_synonyms(raw_tags, tag) for tag in tags["tag"])
    ]
    lines = np.array([1 + 0.85 * text.count("\n") for text in synonyms])
    centres = np.cumsum(lines) - lines / 2
    rows = float(lines.sum())
    figure = new_figure(PAGE, 0.95 + 0.125 * max(rows, 8.0), caption)
    axes = figure.add_subplot()
    for centre, tag, count in zip(centres, tags["tag"], tags["count"], strict=True):
        _stacked_bar(axes, centre, raw_tags[raw_tags["merged_into"] == tag])
        if are_merged:
            axes.plot([count, count], [centre - 0.48, centre + 0.48], color="black", linewidth=1.2)
    axes.set_yticks(centres, [fitted(tag, 1.5) for tag in tags["tag"]])
    axes.set_ylim(rows + 0.4, -0.4)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("clips")
    axes.set_ylabel("tag after merging" if are_merged else "tag")
    _text_column(axes, centres, synonyms)
    if are_merged:
        _merging_legend(figure)
    return figure


def _synonyms(raw_tags: pd.DataFrame, tag: str) -> list[str]:
    """List the raw tags merged into a tag under other names, most frequent first."""
    group = raw_tags[(raw_tags["merged_into"] == tag) & (raw_tags["raw_tag"] != tag)]
    return (
        group[group["count"] > 0]
        .sort_values("count", ascending=False, kind="stable")["raw_tag"]
        .tolist()
    )


def _stacked_bar(axes: Axes, centre: float, group: pd.DataFrame) -> None:
    """Draw the segments of one tag: the raw tag of the same name, then its synonyms by count."""
    own = group["raw_tag"] == group["merged_into"]
    ordered = group.assign(own=own).sort_values(["own", "count"], ascending=False, kind="stable")
    left = 0
    synonyms = 0
    for own, count in zip(ordered["own"], ordered["count"], strict=True):
        colour = BLUE if own else (ORANGE, SKY)[synonyms % 2]
        synonyms += not own
        axes.barh(centre, count, 0.78, left, color=colour, edgecolor="white", linewidth=0.3)
        left += count


def _text_column(axes: Axes, centres: np.ndarray, texts: list[str]) -> None:
    """Write a column of texts to the right of the axes; the layout makes room for it."""
    for centre, text in zip(centres, texts, strict=True):
        axes.annotate(
            text, (1.02, centre), xycoords=("axes fraction", "data"), va="center", linespacing=0.95
        )


def _merging_legend(figure: Figure) -> None:
    """Put the legend below the axes, where it covers no bar."""
    synonyms = (Patch(color=ORANGE), Patch(color=SKY))
    merged = Line2D([], [], color="black", marker="|", linestyle="", markersize=8)
    figure.legend(
        [Patch(color=BLUE), synonyms, merged],
        [
            "raw tag of the same name",
            "its synonyms, in the order listed (colours alternate)",
            "after merging: each clip once",
        ],
        handler_map={tuple: HandlerTuple(ndivide=None, pad=0)},
        loc="outside lower left",
        ncols=3,
    )


@styled
def tag_distribution(raw_tags: pd.DataFrame, *, kept: int, caption: str = "") -> Figure:
    """Draw the clips per tag by rank, before and after merging, and the cut of the kept tags.

    Parameters
    ----------
    raw_tags : (raw tags, 5)
        raw_tag, count, merged_into, merged_count, kept (0 or 1).
    kept
        Number of tags that are kept.
    caption
        Corpus and clips.
    """
    before = raw_tags["count"].sort_values(ascending=False).to_numpy()
    of_merged = raw_tags.drop_duplicates("merged_into")["merged_count"]
    after = of_merged.sort_values(ascending=False).to_numpy()
    lines = [(before, ORANGE, "--", "raw"), (after, BLUE, "-", "merged")]
    if not merged(raw_tags):
        lines = [(before, BLUE, "-", "raw")]
    figure = new_figure(COLUMN, 2.9, caption)
    axes = figure.add_subplot()
    for counts, colour, dashes, kind in lines:
        ranks = np.arange(1, len(counts) + 1)
        name = f"{len(counts)} {kind} tag{'s' * (len(counts) != 1)}"
        without = int((counts == 0).sum())
        name += f", of which {without} without a clip, not drawn" * bool(without)
        line = {"color": colour, "marker": "o" if len(counts) <= _FEW else "", "label": name}
        axes.plot(ranks, np.where(counts, counts, np.nan), dashes, **line)
    last = int(after[kept - 1])
    cut = f"{kept} kept: the last has {last:,} clip{'s' * (last != 1)}"
    axes.axvline(kept + 0.5, color="black", linestyle=":", linewidth=1, label=cut)
    log_counts(axes)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.set(xlabel="rank of the tag", ylabel="clips with the tag")
    figure.legend(loc="outside lower left")  # where it covers no line
    return figure
