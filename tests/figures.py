"""What tests of figures have in common: an example's caption, and the texts of a figure."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

CAPTION = "synthetic demo corpus (not MagnaTagATune), split random 183/14/42, seeds 0, 1"


def texts(figure: Figure) -> list[Text]:
    return [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]


def legend_labels(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()]
