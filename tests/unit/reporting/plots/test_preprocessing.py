import numpy as np

from autotagging.reporting.plots.preprocessing import figure_3
from figures import CAPTION


def clip_stages(caption="", side="both", value=0.0):
    rng = np.random.default_rng(0)
    return figure_3(
        rng.normal(0, 0.1, 1200).astype(np.float32),
        rng.normal(-20, 10, (9, 12)),
        rng.normal(-20, 10, (8, 12)),
        sample_rate=1200,
        hop_length=100,
        padded_frames=17,
        padding_side=side,
        padding_value=value,
        log_scale="power_db",
        caption=caption,
    )


EXAMPLES = {
    "figure_3": lambda: clip_stages(CAPTION),
}


def test_figure_3_shows_the_padding_apart_from_the_clip():
    figure = clip_stages()
    padded = figure.axes[3]
    assert padded.images[0].get_extent() == [2, 14, 0, 8]
    spans = [(patch.get_x(), patch.get_x() + patch.get_width()) for patch in padded.patches]
    assert spans == [(0, 2), (14, 17)]
    labels = [axes.get_xlabel() for axes in figure.axes[:3]]
    assert labels == ["time (s)"] * 3


def test_figure_3_shows_the_padding_where_the_model_has_it():
    padded = clip_stages(side="start", value=-100.0).axes[3]
    assert padded.images[0].get_extent() == [5, 17, 0, 8]
    assert "hatched: 5 + 0 frames of -100" in padded.get_xlabel()
