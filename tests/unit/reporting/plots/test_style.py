"""What holds for every figure, by the examples that the tests of each give."""

import ast
import importlib.util
import itertools
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from autotagging.reporting import plots
from autotagging.reporting.outputs import FigureFiles
from autotagging.reporting.plots.style import save_figure, write_figure
from conftest import ROOT
from figures import CAPTION, assert_on_page, drawn_texts, texts


def load_examples() -> dict[str, Callable[[], Figure]]:
    """Figures that tests give as EXAMPLES: functions that draw them, by name.

    The first word of a name is the function that draws.
    """
    found = {}
    for folder in (Path(__file__).parent, ROOT / "tests/steps/figures"):
        for path in sorted(folder.glob("test_*.py")):
            if path.name != Path(__file__).name and "\nEXAMPLES = " in path.read_text():
                spec = importlib.util.spec_from_file_location(path.stem, path)
                module = importlib.util.module_from_spec(spec)
                spec.loader.exec_module(module)
                found |= module.EXAMPLES
    return found


ALL_FIGURES = load_examples()


def test_every_drawing_has_an_example():
    drawings = {
        node.name
        for path in Path(plots.__file__).parent.glob("*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef)
        and "styled" in map(ast.unparse, node.decorator_list)
        and ast.unparse(node.returns) == "Figure"
    }
    assert {name.split()[0] for name in ALL_FIGURES} == drawings


@pytest.mark.parametrize("name", ALL_FIGURES)
def test_figures_are_legible_at_the_size_of_a_column(name):
    figure = ALL_FIGURES[name]()
    assert figure.get_figwidth() in (3.5, pytest.approx(7.2))
    figure.canvas.draw()
    for text in drawn_texts(figure):
        assert text.get_fontsize() >= 7, text
        assert_on_page(text, figure)


@pytest.mark.parametrize("name", ALL_FIGURES)
def test_figures_have_their_caption(name):
    found = [" ".join(text.get_text().split()) for text in texts(ALL_FIGURES[name]())]
    assert any(CAPTION in text for text in found), found


@pytest.mark.parametrize("name", ALL_FIGURES)
def test_figures_have_the_same_bytes_when_drawn_again(name, tmp_path):
    for path in (tmp_path / "a.svg", tmp_path / "b.svg"):
        write_figure(ALL_FIGURES[name](), path, title="A title")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_a_figure_has_a_title_for_readers_that_see_no_drawing(tmp_path):
    files = FigureFiles(tmp_path / "figure_7.svg", tmp_path / "figure_7.png")
    figure = ALL_FIGURES["figure_7"]()
    save_figure(figure, files)
    (title,) = ElementTree.parse(files.svg).findall("{http://www.w3.org/2000/svg}title")
    assert title.text == f"Figure 7. {' '.join(figure.get_suptitle().split())}"
    write_figure(figure, files.svg, title="a\n & \x00b")
    assert "<title>a &amp; b</title>" in files.svg.read_text()


def test_a_figure_of_hundreds_of_tags_has_as_many_pixels_as_can_be_drawn(tmp_path):
    """At 300 per inch, it would have 120,000."""
    write_figure(Figure(figsize=(0.5, 400)), tmp_path / "a.png", title="", dpi=300)
    header = (tmp_path / "a.png").read_bytes()[16:24]
    assert [int.from_bytes(header[:4]), int.from_bytes(header[4:])] == [81, 65_535]


@pytest.mark.parametrize("name", ALL_FIGURES)
def test_figures_name_their_axes(name):
    for axes in ALL_FIGURES[name]().axes:
        if axes.axison and axes.get_label() != "<colorbar>":
            assert axes.get_xlabel(), name
            assert axes.get_ylabel() or name == "figure_6"


# What a colour looks like without one kind of cones: linear RGB to linear RGB, for the severity 1.0
# of Machado, Oliveira and Fernandes 2009.
COLOUR_BLIND = {
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}


def lab(colour, vision):
    """CIE L*a*b* of a colour as seen with a kind of colour vision."""
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(np.array(COLOUR_BLIND[vision]) @ linear, 0, 1)
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    ratio = np.array(to_xyz) @ linear / [0.9505, 1.0, 1.089]
    x, y, z = np.where(ratio > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("vision", COLOUR_BLIND)
@pytest.mark.parametrize("name", ALL_FIGURES)
def test_lines_of_a_panel_are_told_apart_with_any_colour_vision(name, vision):
    """By their colours, at least 20 apart where 2.3 is just noticed, or else by their dashes."""
    figure = ALL_FIGURES[name]()
    legends = [*figure.legends, *(axes.get_legend() for axes in figure.axes)]
    for legend in filter(None, legends):
        lines = legend.get_lines()
        for one, other in itertools.combinations(lines, 2):
            looks = [(line.get_linestyle(), line.get_marker()) for line in (one, other)]
            colours = [lab(line.get_color(), vision) for line in (one, other)]
            assert looks[0] != looks[1] or np.linalg.norm(colours[0] - colours[1]) > 20, name


def filled_looks(axes):
    """Looks, such as a marker or hatch, and colours of scatters, bars and areas of a panel.

    Colours that stand for values are left out, and pale areas: they go with a line or a text.
    """
    for patch in axes.patches:
        if patch.get_facecolor()[3] > 0.5:
            yield (type(patch), patch.get_hatch()), to_rgb(patch.get_facecolor())
    for collection in axes.collections:
        scatter = isinstance(collection, PathCollection)
        markers = [path.vertices.tobytes() for path in collection.get_paths()] if scatter else []
        look = type(collection), collection.get_hatch(), *markers
        for colour in collection.get_facecolor() if collection.get_array() is None else ():
            if scatter or colour[3] > 0.5:
                yield look, to_rgb(colour)


@pytest.mark.parametrize("name", ALL_FIGURES)
def test_scatters_bars_and_areas_of_a_panel_are_told_apart_with_any_colour_vision(name):
    for axes in ALL_FIGURES[name]().axes:
        pairs = itertools.combinations({*filled_looks(axes)}, 2)
        for (one, other), vision in itertools.product(pairs, COLOUR_BLIND):
            colours = [lab(colour, vision) for _, colour in (one, other)]
            assert one[0] != other[0] or np.linalg.norm(colours[0] - colours[1]) > 20, vision


def test_the_users_own_matplotlib_settings_change_nothing(tmp_path):
    draw = ALL_FIGURES["figure_6"]
    save_figure(draw(), FigureFiles(tmp_path / "a/figure.svg", tmp_path / "a/figure.png"))
    with mpl.rc_context({"font.size": 20, "savefig.dpi": 50, "svg.fonttype": "none"}):
        save_figure(draw(), FigureFiles(tmp_path / "b/figure.svg", tmp_path / "b/figure.png"))
    for name in ("figure.svg", "figure.png"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
