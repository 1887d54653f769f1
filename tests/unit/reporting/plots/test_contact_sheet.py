import numpy as np
import pandas as pd
import pytest

from autotagging.reporting.plots.contact_sheet import mel_examples, spread_clips
from figures import CAPTION, texts


def sheet(tags=5, each=4, caption=""):
    examples = pd.DataFrame(
        [(f"tag {tag}", 100 * tag + clip) for tag in range(tags) for clip in range(each)],
        columns=["tag", "clip_id"],
    )
    mels = np.random.default_rng(0).normal(-30, 10, (len(examples), 6, 170)).astype(np.float16)
    counts = pd.Series(9, index=examples["tag"].unique())
    return mel_examples(counts, examples, mels, seconds=3.6, log_scale="power_db", caption=caption)


EXAMPLES = {
    "mel_examples": lambda: sheet(caption=CAPTION),
}


def test_examples_are_spread_over_the_clips_of_a_tag():
    labels = pd.DataFrame(
        {"rock": [1] * 10, "flute": [0, 1, 0, 1, 0, 0, 0, 0, 0, 1], "harp": [0] * 10},
        index=[30, 20, 10, 40, 50, 60, 70, 80, 90, 100],
    )
    examples = spread_clips(labels, 4).groupby("tag")["clip_id"].agg(list)
    assert examples.to_dict() == {"rock": [20, 40, 70, 90], "flute": [20, 40, 100]}
    assert spread_clips(labels, 1)["clip_id"].tolist() == [60, 40]


def test_mel_examples_shows_every_clip_with_its_id():
    counts = pd.Series({"rock": 9, "flute": 1, "harp": 2})
    examples = pd.DataFrame({"tag": ["rock", "rock", "flute"], "clip_id": [7, 8, 7]})
    mels = np.zeros((3, 2, 160), np.float16)
    mels[1] = np.arange(160)
    figure = mel_examples(counts, examples, mels, seconds=29.12, log_scale="power_db")
    written = [text.get_text() for text in texts(figure)]
    names = ["rock", "9 clips", "7", "8", "flute", "1 clip", "7", "harp", "2 clips, no spectrogram"]
    assert written[: len(names)] == names
    images = figure.axes[0].images
    assert len(images) == 3
    assert images[1].get_array().tolist() == [np.arange(0.5, 160, 2).tolist()] * 2
    assert len({(image.norm.vmin, image.norm.vmax) for image in images}) == 1
    left, right, bottom, top = images[0].get_extent()
    first, last = figure.axes[0].transData.transform([(left, bottom), (right, top)])
    assert first[1] < last[1]
    assert images[0].origin == "lower"


@pytest.mark.parametrize(("tags", "each"), [(1, 1), (50, 4), (4, 9), (3, 20)])
def test_mel_examples_overlaps_nothing(tags, each):
    figure = sheet(tags, each)
    figure.canvas.draw()
    boxes = [item.get_window_extent() for item in figure.axes[0].images]
    boxes += [text.get_window_extent() for text in figure.axes[0].texts]
    edges = np.array([box.extents for box in boxes])  # (items, 4): x0, y0, x1, y1
    low = np.maximum(edges[:, None, :2], edges[None, :, :2])
    high = np.minimum(edges[:, None, 2:], edges[None, :, 2:])
    assert ((high - low).min(axis=2) > 2).sum() == len(boxes)  # each overlaps itself alone


@pytest.mark.parametrize(
    ("log_scale", "label", "span"),
    [("power_db", "power (dB)", 80), ("log1p", "ln(1 + power)", 8)],
)
def test_the_colours_of_spectrograms_go_with_their_log_scale(log_scale, label, span):
    rng = np.random.default_rng(0)
    counts = pd.Series({"rock": 2})
    examples = pd.DataFrame({"tag": ["rock"] * 2, "clip_id": [7, 8]})
    mels = rng.uniform(0, 6, (2, 96, 80)).astype(np.float16)
    figure = mel_examples(counts, examples, mels, seconds=1, log_scale=log_scale)
    norm = figure.axes[0].images[0].norm
    assert norm.vmax - norm.vmin == pytest.approx(span)
    assert label in [text.get_text() for text in texts(figure)]
