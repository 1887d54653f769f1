"""Spectrograms of example clips, to check the input of training by eye (sec. II.B)."""

from autotagging.common.errors import UserError
from autotagging.dataset.store import MelStore, read_front_end
from autotagging.dataset.subsets import read_labels
from autotagging.reporting.captions import all_clips
from autotagging.reporting.inputs import read_title
from autotagging.reporting.plots.contact_sheet import DPI, spread_clips
from autotagging.reporting.plots.contact_sheet import mel_examples as draw
from autotagging.reporting.plots.style import save_figure
from autotagging.steps.figures import flags


def mel_examples(
    *,
    labels: flags.Labels,
    summary: flags.Summary,
    front_end: flags.FrontEnd,
    clips_per_tag: flags.ClipsPerTag,
    audio: flags.Audio,
    figure_files: flags.Figure,
) -> None:
    """Spectrograms of every tag.

    The clips are spread evenly over those of a tag, and drawn as training reads them.
    """
    table = read_labels(labels).drop(columns="mp3_path")
    store = MelStore(summary)
    examples = spread_clips(table[table.index.isin(store.clip_ids)], clips_per_tag)
    if examples.empty:
        raise UserError(f"{summary}: no clip with a tag in {labels} has a spectrogram")
    settings = read_front_end(front_end)
    figure = draw(
        table.sum(),
        examples,
        store.gather(examples["clip_id"].to_list()),
        seconds=settings["seconds"],
        log_scale=settings["log_scale"],
        caption=all_clips(read_title(audio)),
    )
    save_figure(figure, figure_files, dpi=DPI)
