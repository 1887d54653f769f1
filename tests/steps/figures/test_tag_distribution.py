import pandas as pd

from autotagging.steps.figures.tag_distribution import tag_distribution
from earlier_steps import drawn, files_in, written


def draw(results):
    """Draw the figure and write the table; give its files and its caption."""
    output = written(results)
    tag_distribution(
        raw_tags=results / "raw_tags.csv",
        audio=results / "audio.json",
        figure_files=drawn(results),
        table_files=output,
    )
    return output, output.md.read_text().splitlines()[0]


def test_tags_are_counted_before_and_after_merging(results):
    output, caption = draw(results)
    assert files_in(results / "figures") == ["out.png", "out.svg"]
    assert pd.read_csv(output.csv)["clips_after"].tolist() == [5, 1]
    assert caption == (
        "Tags before and after merging; the 1 most frequent are kept. Synthetic demo corpus "
        "(not MagnaTagATune), all clips."
    )


def test_raw_tags_are_not_called_merged(results):
    (results / "raw_tags.csv").write_text(
        "raw_tag,count,merged_into,merged_count,kept\ndrum,3,drum,3,1\nhappy,1,happy,1,0\n"
    )
    _, caption = draw(results)
    assert caption.startswith("Raw tags, not merged; the 1 most frequent are kept.")
