"""Clips per tag: the counts that decide which tags are kept (sec. II.A)."""

from autotagging.reporting.captions import all_clips
from autotagging.reporting.inputs import read_table, read_title
from autotagging.reporting.plots.style import save_figure
from autotagging.reporting.plots.tag_counts import tag_distribution as draw
from autotagging.reporting.tables.files import save_table
from autotagging.reporting.tables.tag_counts import merged
from autotagging.reporting.tables.tag_counts import tag_distribution as make_table
from autotagging.steps.figures import flags


def tag_distribution(
    *,
    raw_tags: flags.RawTags,
    audio: flags.Audio,
    figure_files: flags.Figure,
    table_files: flags.Table,
) -> None:
    """Clips per tag, before and after merging."""
    columns = ("raw_tag", "count", "merged_into", "merged_count", "kept")
    raw = read_table(raw_tags, columns)
    table = make_table(raw)
    kept = int((table["kept"] == "yes").sum())
    title = all_clips(read_title(audio))
    save_figure(draw(raw, kept=kept, caption=title), figure_files)
    tags = "Tags before and after merging" if merged(raw) else "Raw tags, not merged"
    caption = f"{tags}; the {kept} most frequent are kept. {title}."
    save_table(table, table_files, caption=caption)
