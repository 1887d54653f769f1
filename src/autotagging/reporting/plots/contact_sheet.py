"""Contact sheet of spectrograms: some clips of every tag."""

import math

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from autotagging.reporting.plots.style import GREY, MEL_SCALES, PAGE, new_figure, styled
from autotagging.reporting.plots.text import fitted, length, wrap

DPI = 300
"""Pixels per inch of the PNG, for which the figure is made."""

# In inches that are whole pixels of the PNG. A spectrogram of 96 mel bins has one pixel of height
# per mel bin and two pixels of width per block of frames, so nothing is resampled.
_WIDTH, _HEIGHT = 160 / DPI, 96 / DPI
_STEP, _ROW = 0.56, 0.58
_MARGIN, _LINE = 0.12, 0.12
_NAME, _CLIP_ID = 0.13, 0.1  # heights of the lines above and below a spectrogram
_PANELS_ACROSS = 12  # with four margins, as wide as a page
_BAR = 1.9  # length of the colour bar

_BLOCKS = 80
_COLOURS = 16
"""Number of colours: 16 give an SVG of 2 MB, 256 one of 5 MB, because noise compresses badly."""


def spread_clips(labels: pd.DataFrame, n: int) -> pd.DataFrame:
    """Choose n clips of each tag, spread evenly over its clips in the order of clip_id.

    Parameters
    ----------
    labels : (clips, tags)
        0 and 1, indexed by clip_id.
    n
        Clips per tag; all clips of a tag with fewer.

    Returns
    -------
    examples : (n * tags or fewer, 2)
        tag, clip_id; tags in the order of `labels`.
    """
    rows = []
    for tag in labels:
        clips = labels.index[labels[tag] == 1].sort_values()
        parts = min(n, len(clips))
        rows += [(tag, clips[(2 * part + 1) * len(clips) // (2 * parts)]) for part in range(parts)]
    return pd.DataFrame(rows, columns=["tag", "clip_id"])


@styled
def mel_examples(
    counts: pd.Series,
    examples: pd.DataFrame,
    mels: np.ndarray,
    *,
    seconds: float,
    log_scale: str,
    caption: str = "",
) -> Figure:
    """Draw a contact sheet of spectrograms: tags in columns, the clips of a tag side by side.

    Every mel bin is drawn; frames are averaged in 80 blocks. All spectrograms share one colour
    scale: 80 dB in steps of 5 (or the equal of another log scale), up to the 99.9th percentile.

    Parameters
    ----------
    counts : (tags,)
        Clips that have the tag, indexed by tag, most frequent first.
    examples : (clips, 2)
        tag, clip_id of the clips to draw.
    mels : float16, (clips, mel bins, frames)
        Spectrograms of `examples`, in their order.
    seconds
        Length of a clip, in seconds.
    log_scale
        Log scale of the spectrograms, a key of `MEL_SCALES`.
    caption
        Corpus and clips.
    """
    shown = _shrink(mels)
    across = max(examples.groupby("tag").size().max(), 3)  # room for a tag's name
    columns = max(_PANELS_ACROSS // across, 1)
    rows = math.ceil(len(counts) / columns)
    pitch = across * _STEP + _MARGIN
    width = max(PAGE, columns * pitch + _MARGIN)
    label, span = MEL_SCALES[log_scale]
    caption = (
        f"Log-mel spectrograms of clips of each tag, the clip_id below: {seconds:g} s from left to "
        f"right, {mels.shape[1]} mel bins from bottom (low) to top. {caption}"
    )
    caption = wrap(caption, width - _BAR - length(label) - 0.6)
    header = 0.24 + _LINE * max(caption.count("\n") + 1, 3)
    height = header + rows * _ROW + _MARGIN / 2
    figure = new_figure(width, height)
    figure.set_layout_engine("none")
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(height, 0), autoscale_on=False)
    axes.set_axis_off()
    colours = _colours(shown, span / _COLOURS)
    for number, (tag, count) in enumerate(counts.items()):
        column, row = divmod(number, rows)
        own = (examples["tag"] == tag).to_numpy()
        corner = (_MARGIN + column * pitch, header + row * _ROW)
        clips = (examples["clip_id"][own], shown[own])
        _tag_row(axes, corner, across * _STEP, str(tag), count, *clips, colours)
    axes.text(_MARGIN, 0.1, caption, color="#444444", va="top")
    left = width - _BAR - 2 * _MARGIN
    place = (left / width, 1 - 0.22 / height, _BAR / width, 0.12 / height)
    bar = figure.add_axes(place, label="<colorbar>")
    figure.colorbar(colours, bar, orientation="horizontal", extend="both")
    bar.text(-0.08, 0.5, label, ha="right", va="center", transform=bar.transAxes)
    return figure


def _shrink(mels: np.ndarray) -> np.ndarray:
    """Average blocks of frames: float32, (clips, mel bins, blocks)."""
    blocks = np.array_split(mels, min(_BLOCKS, mels.shape[2]), axis=2)
    return np.stack([block.mean(axis=2, dtype=np.float32) for block in blocks], axis=2)


def _colours(shown: np.ndarray, step: float) -> ScalarMappable:
    top = step * math.ceil(np.percentile(shown, 99.9) / step)
    scale = Normalize(top - _COLOURS * step, top)
    return ScalarMappable(scale, colormaps["magma"].resampled(_COLOURS))


def _tag_row(
    axes: Axes,
    corner: tuple[float, float],
    room: float,
    tag: str,
    count: int,
    clip_ids: pd.Series,
    mels: np.ndarray,
    colours: ScalarMappable,
) -> None:
    """Draw a tag's name and clips; `corner` is at the top left, `room` the width."""
    left, top = corner
    text = "1 clip" if count == 1 else f"{count} clips"
    text += "" if len(mels) else ", no spectrogram"
    tag = fitted(tag, room - length(text) - 0.1, weight="bold")
    name = axes.text(left, top + _NAME - 0.03, tag, weight="bold")
    axes.annotate(
        text, (1, 0), (5, 0), xycoords=name, textcoords="offset points", va="bottom", color=GREY
    )
    top += _NAME
    for place, (clip_id, mel) in enumerate(zip(clip_ids, mels, strict=True)):
        x = left + place * _STEP
        axes.imshow(
            mel,
            cmap=colours.cmap,
            norm=colours.norm,
            origin="lower",
            extent=(x, x + _WIDTH, top + _HEIGHT, top),
            aspect="auto",
            interpolation="none",
        )
        axes.text(x, top + _HEIGHT + _CLIP_ID, str(clip_id), color=GREY)
