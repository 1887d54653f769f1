import numpy as np

from autotagging.reporting.plots.clip_tags import figure_6, median_clip, outcomes
from figures import CAPTION, texts

# Fig. 6 of the paper: the scores that it prints, and the clip's six actual tags.
PAPER_SCORES = {
    "techno": 0.818,
    "fast": 0.624,
    "electro": 0.453,
    "beat": 0.434,
    "dance": 0.386,
    "drum": 0.176,
    "synth": 0.173,
    "trance": 0.171,
    "loud": 0.156,
    "no singer": 0.113,
    "piano": 0.003,
    "violin": 0.001,
    **{f"tag {number}": 0.0 for number in range(38)},
}
PAPER_TAGS = ["techno", "beat", "dance", "synth", "piano", "violin"]


def paper_clip(**changes):
    labels = np.array([tag in PAPER_TAGS for tag in PAPER_SCORES], np.uint8)
    arguments = {"clip_id": 42, "threshold": 0.5, **changes}
    return figure_6(
        np.array(list(PAPER_SCORES.values()), np.float32), labels, list(PAPER_SCORES), **arguments
    )


EXAMPLES = {
    "figure_6": lambda: paper_clip(caption=CAPTION),
}


def test_figure_6_reproduces_the_accuracy_of_the_paper():
    figure = paper_clip()
    axes = figure.axes[0]
    title = axes.get_title(loc="left")
    assert title == "Clip 42\naccuracy = [TP + TN] / all\n= [1 + 43] / 50 = 0.88"
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()][:4] == [
        "TP true positive: 1",
        "FP false positive: 1",
        "FN false negative: 5",
        "TN true negative: 43",
    ]
    codes = [text.get_text() for text in texts(figure)]
    assert "TP 0.818" in codes
    assert "FP 0.624" in codes


def test_a_score_at_the_threshold_is_negative():
    kinds = outcomes(np.array([0.5, 0.51, 0.5, 0.51]), np.array([1, 1, 0, 0]), threshold=0.5)
    assert kinds.tolist() == ["FN", "TP", "TN", "FP"]


def test_median_clip_is_the_lowest_id_of_those_nearest_to_the_median():
    labels = np.zeros((5, 4), np.uint8)
    scores = np.zeros((5, 4))
    for row, wrong in enumerate((0, 2, 1, 1, 4)):  # right: 4, 2, 3, 3, 0; median 3
        scores[row, :wrong] = 0.9
    clip_ids = np.array([1, 2, 30, 20, 3])
    assert median_clip(clip_ids, scores, labels, threshold=0.5) == 20
