import pandas as pd

from autotagging.reporting.plots.tag_counts import figure_2, tag_distribution
from figures import CAPTION, texts

RAW_TAGS = pd.DataFrame(
    [
        ("violin", 300, "violin", 1),
        ("violins", 120, "violin", 1),
        ("fiddle", 40, "violin", 1),
        ("man singing", 90, "male", 1),
        ("male", 200, "male", 1),
        ("men", 0, "male", 1),
        ("happy", 3, "happy", 0),
    ],
    columns=["raw_tag", "count", "merged_into", "kept"],
)
TAGS = pd.DataFrame(
    [
        ("violin", "instrument", 350, "violin;violins;fiddle"),
        ("male", "vocal", 250, "male;man singing"),
    ],
    columns=["tag", "category", "count", "merged_from"],
)
COUNTS = RAW_TAGS.assign(merged_count=[350, 350, 350, 250, 250, 250, 3])
KEPT_RAW = COUNTS.assign(merged_into=COUNTS["raw_tag"], merged_count=COUNTS["count"])
EXAMPLES = {
    "tag_distribution": lambda: tag_distribution(COUNTS, kept=2, caption=CAPTION),
    "figure_2": lambda: figure_2(TAGS, RAW_TAGS, caption=CAPTION),
    "tag_distribution of raw tags": lambda: tag_distribution(KEPT_RAW, kept=2, caption=CAPTION),
    "figure_2 of raw tags": lambda: figure_2(TAGS, KEPT_RAW, caption=CAPTION),
}


def test_figure_2_counts_tags_and_segments():
    figure = figure_2(TAGS, RAW_TAGS, caption="demo")
    assert figure.get_suptitle().startswith("7 raw tags → 3 after merging synonyms → 2 most")
    bars = [round(bar.get_width()) for bar in figure.axes[0].patches]
    assert bars == [300, 120, 40, 200, 90, 0]
    written = [text.get_text().replace("\xa0", " ") for text in texts(figure)]
    assert "+ violins, fiddle" in written
    assert "+ man singing" in written


def test_tag_distribution_counts_by_rank_and_shows_the_cut():
    axes = tag_distribution(COUNTS, kept=2).axes[0]
    before, after, cut = axes.get_lines()
    assert before.get_ydata().tolist()[:6] == [300, 200, 120, 90, 40, 3]
    assert after.get_ydata().tolist() == [350, 250, 3]
    assert cut.get_xdata() == [2.5, 2.5]
    (legend,) = axes.figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [
        "7 raw tags, of which 1 without a clip, not drawn",
        "3 merged tags",
        "2 kept: the last has 250 clips",
    ]


def test_figures_of_raw_tags_say_that_they_are_not_merged():
    figure = figure_2(TAGS, KEPT_RAW, caption="demo")
    assert figure.get_suptitle().startswith("7 raw tags, not merged → 2 most frequent kept. demo")
    assert figure.axes[0].get_ylabel() == "tag"
    assert not figure.legends
    assert not figure.axes[0].get_lines()
    (legend,) = tag_distribution(KEPT_RAW, kept=2).legends
    assert [text.get_text() for text in legend.get_texts()] == [
        "7 raw tags, of which 1 without a clip, not drawn",
        "2 kept: the last has 200 clips",
    ]
