import numpy as np
import pandas as pd
import pytest

from autotagging.reporting.plots.scores import category_scores, tag_scores
from figures import CAPTION, LINES


def scores_of(key, names, *models):
    """Estimates of each name; the second has none."""
    rows = [
        {
            "category": "mood",
            "positives": 12,
            "artists": 6,
            "tags": 6,
            "tags_scored": 5,
            key: name,
            "model": model,
            "roc_auc": 0.8,
            "roc_auc_low": 0.7,
            "roc_auc_high": 0.9,
        }
        for model in models
        for name in names
    ]
    table = pd.DataFrame(rows)
    values = ["roc_auc", "roc_auc_low", "roc_auc_high"]
    table.loc[table[key] == names[1], values] = np.nan
    return table


TAG_NAMES = ["no singer", *(f"tag {number}" for number in range(20))]
CATEGORIES = ["all", "genre", "instrument", "mood", "vocal"]
MANY = [f"network_{number}" for number in range(11)]
EXAMPLES = {
    "tag_scores": lambda: tag_scores(
        scores_of("tag", TAG_NAMES, "crnn", "lookup"), lines=LINES, caption=CAPTION
    ),
    "tag_scores of many": lambda: tag_scores(
        scores_of("tag", TAG_NAMES, *MANY), lines=LINES, caption=CAPTION
    ),
    "category_scores of many": lambda: category_scores(
        scores_of("category", CATEGORIES, *MANY),
        lines=LINES,
        caption=CAPTION,
    ),
    "category_scores": lambda: category_scores(
        scores_of("category", CATEGORIES, "crnn", "lookup"), lines=LINES, caption=CAPTION
    ),
}


def test_tags_are_drawn_in_their_order_with_their_intervals():
    table = scores_of("tag", TAG_NAMES[:3], "crnn", "lookup")
    (axes,) = tag_scores(table).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == TAG_NAMES[:3]
    assert axes.yaxis_inverted()
    points = {line.get_label(): line for line in axes.lines}
    hollow = [line for line in axes.lines if line.get_markerfacecolor() == "white"]
    assert not any(np.isfinite(line.get_xdata()).any() for line in hollow)
    assert points["crnn"].get_xdata() == pytest.approx([0.8, np.nan, 0.8], nan_ok=True)
    (line, *_) = axes.collections[0].get_segments()
    assert line[:, 0].tolist() == [0.7, 0.9]
    written = [text.get_text() for text in axes.texts]
    assert written.count("not scored") == 1
    assert "12 (6) mood" in written


def test_tags_of_few_artists_are_hollow():
    table = scores_of("tag", TAG_NAMES[:3], "crnn").assign(positives=[12, 0, 40], artists=[5, 0, 4])
    (axes,) = tag_scores(table).axes
    (hollow,) = (line for line in axes.lines if line.get_markerfacecolor() == "white")
    assert np.isfinite(hollow.get_xdata()).tolist() == [False, False, True]


@pytest.mark.parametrize("key", ["tag", "category"])
def test_points_of_the_highest_area_are_whole(key):
    draw = {"tag": tag_scores, "category": category_scores}[key]
    table = scores_of(key, CATEGORIES, "crnn").assign(roc_auc=1.0, roc_auc_high=1.0)
    (axes,) = draw(table).axes
    points = [line for line in axes.lines if line.get_marker() == "o"]
    assert len(points) == 2
    assert not any(line.get_clip_on() for line in points)


def test_categories_say_how_many_of_their_tags_are_scored():
    table = scores_of("category", CATEGORIES, "crnn")
    figure = category_scores(table, lines=LINES, caption=CAPTION)
    assert "5 of 6" in [text.get_text() for text in figure.axes[0].texts]
    (legend,) = figure.legends
    assert legend.get_title().get_text() == LINES


def test_the_tags_of_many_models_are_a_map_with_numbers_and_the_highest_in_bold():
    table = scores_of("tag", TAG_NAMES[:3], *MANY).assign(artists=[5, 0, 4] * 11)
    for model, area in ((MANY[4], 0.875), (MANY[6], 0.8751)):  # both are written as .88
        table.loc[(table["model"] == model) & (table["tag"] == TAG_NAMES[2]), "roc_auc"] = area
    (axes,) = tag_scores(table).axes
    assert [label.get_text() for label in axes.get_xticklabels()] == MANY
    names = [TAG_NAMES[0], f"{TAG_NAMES[1]} *", f"{TAG_NAMES[2]} *"]
    assert [label.get_text() for label in axes.get_yticklabels()] == names
    cells = {text.get_position(): text for text in axes.texts if len(text.get_text()) <= 3}
    assert len(cells) == 33
    assert [cells[4, row].get_text() for row in range(3)] == [".80", "–", ".88"]  # noqa: RUF001
    bold = [place for place, text in cells.items() if text.get_weight() == "bold"]
    assert {place for place in bold if place[1] == 2} == {(4, 2), (6, 2)}
    assert "12 (4) mood" in [text.get_text() for text in axes.texts]


def test_many_models_have_a_panel_per_category_with_a_row_each():
    table = scores_of("category", CATEGORIES, *MANY)
    figure = category_scores(table, caption=CAPTION)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == [f"{name} (5 of 6 tags)" for name in CATEGORIES]
    first, undefined = figure.axes[:2]
    assert [label.get_text() for label in first.get_yticklabels()] == MANY
    intervals, points = first.collections
    assert points.get_offsets().data[3].tolist() == [0.8, 3]
    assert intervals.get_segments()[3][:, 0].tolist() == [0.7, 0.9]
    assert [text.get_text() for text in undefined.texts] == ["not scored"]
