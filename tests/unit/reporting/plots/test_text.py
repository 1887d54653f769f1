"""Names from data in figures: any characters, any length, any number."""

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib.font_manager import fontManager

from autotagging.reporting.outputs import FigureFiles
from autotagging.reporting.plots import text as module
from autotagging.reporting.plots.clip_tags import figure_6
from autotagging.reporting.plots.contact_sheet import mel_examples
from autotagging.reporting.plots.scores import tag_scores
from autotagging.reporting.plots.style import save_figure
from autotagging.reporting.plots.tag_counts import figure_2, tag_distribution
from autotagging.reporting.plots.text import fitted, length, wrap
from figures import CAPTION, LINES, assert_on_page, drawn_texts, texts

NAMES = ["Ba$$in", "under $5 or $10", "_hidden", "a\\b", "50%", "a^2_b", "$\\frac$", "-- <&>"]
LONG = ["W" * 120, "a very long name " * 8]


def scores_of(names, models=("crnn", "lookup")):
    rows = [(name, "instrument", 4566, 153, model) for model in models for name in names]
    table = pd.DataFrame(rows, columns=["tag", "category", "positives", "artists", "model"])
    return table.assign(roc_auc=0.8, roc_auc_low=0.6, roc_auc_high=0.95)


def clip_of(names):
    scores = np.linspace(0.95, 0.6, len(names))
    return figure_6(
        scores, scores > 0.7, names, clip_id=1_234_567_890, threshold=0.5, caption=CAPTION
    )


def merging_of(names):
    raw = pd.DataFrame({"raw_tag": names, "merged_into": names, "count": 9, "merged_count": 9})
    synonyms = raw.assign(raw_tag=[f"{name} too" for name in names])
    tags = pd.DataFrame({"tag": names, "count": 12})
    return figure_2(tags, pd.concat([raw, synonyms]), caption=CAPTION)


def sheet_of(names):
    examples = pd.DataFrame({"tag": names, "clip_id": range(len(names))})
    mels = np.zeros((len(names), 4, 8), np.float16)
    counts = pd.Series(25_863, index=names)
    return mel_examples(counts, examples, mels, seconds=1, log_scale="log1p", caption=CAPTION)


DRAWINGS = {
    "tag_scores": lambda names: tag_scores(scores_of(names), lines=LINES, caption=CAPTION),
    "figure_6": clip_of,
    "figure_2": merging_of,
    "mel_examples": sheet_of,
}


def assert_legible(figure):
    """No text lies over another or over a legend, and none leaves the page."""
    with warnings.catch_warnings(action="error"):
        figure.canvas.draw()
    boxes = [(text.get_text(), text.get_window_extent()) for text in drawn_texts(figure)]
    for text in drawn_texts(figure):
        assert_on_page(text, figure)
    edges = np.array([box.extents for _, box in boxes])
    low = np.maximum(edges[:, None, :2], edges[None, :, :2])
    high = np.minimum(edges[:, None, 2:], edges[None, :, 2:])
    over = np.argwhere((high - low).min(axis=2) > 2)
    assert [(boxes[a][0], boxes[b][0]) for a, b in over if a < b] == []
    for legend in figure.legends:
        for axes in figure.axes:
            assert not legend.get_window_extent().overlaps(axes.bbox)


@pytest.mark.parametrize("name", DRAWINGS)
def test_names_are_drawn_as_they_are(name, tmp_path):
    figure = DRAWINGS[name](NAMES)
    assert_legible(figure)
    assert set(NAMES) <= {text.get_text() for text in texts(figure)}
    files = FigureFiles(tmp_path / "out.svg", tmp_path / "out.png")
    save_figure(figure, files)
    ElementTree.parse(files.svg)


@pytest.mark.parametrize("name", DRAWINGS)
def test_long_names_leave_room_for_everything_else(name):
    assert_legible(DRAWINGS[name]([*LONG, "short"]))


@pytest.mark.parametrize(
    ("name", "tags"),
    [*(("tag_scores", tags) for tags in (1, 2, 3, 7, 12, 13)), ("figure_6", 1), ("figure_2", 1)],
)
def test_figures_of_any_number_of_tags_are_legible(name, tags):
    assert_legible(DRAWINGS[name]([f"tag {number}" for number in range(tags)]))


@pytest.mark.parametrize("models", [1, 6])
@pytest.mark.parametrize("tags", [1, 12])
def test_scores_of_any_number_of_models_are_legible(models, tags):
    names = [f"tag {number}" for number in range(tags)]
    table = scores_of(names, [f"network_{number}" for number in range(models)])
    assert_legible(tag_scores(table, lines=LINES, caption=CAPTION))


def test_the_distribution_of_one_tag_is_seen():
    raw = pd.DataFrame({"raw_tag": ["a"], "merged_into": ["b"], "count": 90, "merged_count": 90})
    figure = tag_distribution(raw, kept=1, caption="Corpus of $5 or $10")
    assert_legible(figure)
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()][:2] == ["1 raw tag", "1 merged tag"]
    assert [line.get_marker() for line in figure.axes[0].lines[:2]] == ["o", "o"]
    shown = {text.get_text() for text in drawn_texts(figure)}
    assert "100" in shown
    assert not any("$" in text for text in shown if not text.startswith("Corpus"))


def test_long_names_are_shortened_in_the_middle():
    assert fitted("no singer", 1) == "no singer"
    assert fitted("new\nline\x00\ttab", 2) == "new line tab"
    shown = fitted("x" * 60 + "0123", 1)
    assert shown.startswith("xxx")
    assert shown.endswith("…x0123"[-4:])
    assert 0.85 < length(shown) <= 1


@pytest.mark.parametrize("text", ["W" * 200, "音楽" * 60, "word " * 40])
def test_lines_are_broken_by_their_length_on_paper(text):
    lines = wrap(text, 3.4).splitlines()
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert max(map(length, lines)) <= 3.4


@pytest.fixture
def music_font(tmp_path, monkeypatch):
    """The only installed font: it has 音 and 楽, and a glyph without a shape for 🎸."""
    pen = TTGlyphPen(None)
    pen.moveTo((100, 0))
    for point in ((100, 700), (800, 700), (800, 0)):
        pen.lineTo(point)
    pen.closePath()
    empty, square = TTGlyphPen(None).glyph(), pen.glyph()
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", "sound", "joy", "guitar"])
    builder.setupCharacterMap({ord("音"): "sound", ord("楽"): "joy", ord("🎸"): "guitar"})
    builder.setupGlyf({".notdef": square, "sound": square, "joy": square, "guitar": empty})
    builder.setupHorizontalMetrics(dict.fromkeys(builder.font.getGlyphOrder(), (900, 100)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable(
        {"familyName": "Music Test", "styleName": "Regular", "psName": "MusicTest"}
    )
    builder.setupOS2()
    builder.setupPost()
    builder.save(tmp_path / "music.ttf")
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    paths = [str(tmp_path / name) for name in ("music.ttf", "broken.ttf")]
    monkeypatch.setattr(module, "findSystemFonts", lambda: paths)
    monkeypatch.setattr(fontManager, "ttflist", [*fontManager.ttflist])
    caches = (module._installed, module._other_fonts)
    for cache in caches:
        cache.cache_clear()
    yield
    for cache in caches:
        cache.cache_clear()


@pytest.mark.parametrize("name", ["figure_6", "tag_scores"])
def test_other_scripts_use_an_installed_font(name, music_font, tmp_path, capsys, recwarn):
    written = []
    for copy in ("one", "other"):
        figure = DRAWINGS[name](["音楽", "rock"])
        files = FigureFiles(tmp_path / copy / "a.svg", tmp_path / copy / "a.png")
        save_figure(figure, files)
        written.append((files.svg.read_bytes(), files.png.read_bytes()))
    assert written[0] == written[1]
    families = {text.get_text(): text.get_fontfamily() for text in texts(figure)}
    assert families["音楽"] == ["DejaVu Sans", "Music Test"]
    assert families["rock"] == ["DejaVu Sans"]
    assert b"MusicTest" in written[0][0]
    assert capsys.readouterr().err == ""
    assert not recwarn.list


def test_characters_that_no_font_has_are_named_in_one_line(music_font, tmp_path, capsys, recwarn):
    files = FigureFiles(tmp_path / "figure_6.svg", tmp_path / "figure_6.png")
    save_figure(clip_of(["音楽", "한국", "🎸 rock", "שלום"]), files)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(
        "figure_6: boxes stand for 국 한 🎸 (in 한국, 🎸 rock), which no installed"
    )
    assert not recwarn.list


def test_latin_names_ask_for_no_installed_font(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "findSystemFonts", None)
    module._installed.cache_clear()
    save_figure(
        clip_of(["Motörhead", "naïve → ½"]), FigureFiles(tmp_path / "a.svg", tmp_path / "a.png")
    )


FIND_FONTS = """
import json
from matplotlib.font_manager import FontProperties, findfont, fontManager
fontManager.ttflist[:] = [
    font for font in fontManager.ttflist if not font.fname.endswith("DejaVuSans.ttf")
]
from autotagging.reporting.plots.text import length
length("any text")
faces = [{}, {"weight": "bold"}, {"style": "oblique"}, {"weight": "bold", "style": "oblique"}]
print(json.dumps([findfont(FontProperties(family="DejaVu Sans", **face)) for face in faces]))
"""


def test_the_font_is_that_of_matplotlib_whatever_the_cached_list_says(tmp_path):
    """The list may be of an environment that is gone; then other versions of the font are found."""
    environment = {**os.environ, "MPLCONFIGDIR": str(tmp_path)}
    command = [sys.executable, "-c", FIND_FONTS]
    found = subprocess.run(command, env=environment, capture_output=True, check=True)
    own = Path(mpl.get_data_path(), "fonts/ttf")
    styles = ("", "-Bold", "-Oblique", "-BoldOblique")
    assert json.loads(found.stdout) == [str(own / f"DejaVuSans{style}.ttf") for style in styles]
