"""Fig. 2 of the paper (sec. II.A): the raw tags that each merged tag consists of."""

from autotagging.reporting.captions import all_clips
from autotagging.reporting.inputs import read_table, read_title
from autotagging.reporting.plots.style import save_figure
from autotagging.reporting.plots.tag_counts import figure_2 as draw
from autotagging.steps.figures import flags


def figure_2(
    *,
    tags: flags.Tags,
    raw_tags: flags.RawTags,
    audio: flags.Audio,
    figure_files: flags.Figure,
) -> None:
    """Fig. 2: merging of tags."""
    figure = draw(
        read_table(tags, ("tag", "count")),
        read_table(raw_tags, ("raw_tag", "count", "merged_into")),
        caption=all_clips(read_title(audio)),
    )
    save_figure(figure, figure_files)
