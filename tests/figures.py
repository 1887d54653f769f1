"""What tests of figures have in common: an example's caption, and the texts of a figure."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

CAPTION = "synthetic demo corpus (not MagnaTagATune), split random 183/14/42, seeds 0, 1"
LINES = "Lines: 95 % confidence interval, bootstrap over 31 artists"


def texts(figure: Figure) -> list[Text]:
    return [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]


def legend_labels(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()]


def drawn_texts(figure: Figure) -> list[Text]:
    """Texts without the labels of ticks that Matplotlib keeps but never draws."""
    undrawn = {
        label
        for axes in figure.axes
        for axis in (axes.xaxis, axes.yaxis)
        for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks())
        for label in (tick.label1, tick.label2)
        if not min(axis.get_view_interval()) <= tick.get_loc() <= max(axis.get_view_interval())
    }
    return [text for text in texts(figure) if text not in undrawn]


def assert_on_page(text: Text, figure: Figure) -> None:
    box = text.get_window_extent()
    assert min(box.x0, box.y0) >= -1, text
    assert box.x1 <= figure.bbox.x1 + 1, text
    assert box.y1 <= figure.bbox.y1 + 1, text
