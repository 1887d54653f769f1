"""Figures and tables of what goes in: tags and spectrograms."""

import numpy as np

from autotagging.common.errors import UserError
from autotagging.corpus.paths import corpus_title
from autotagging.dataset.store import MelStore
from autotagging.reporting import plots
from autotagging.reporting.inputs import (
    corpus_name,
    read_clip,
    read_front_end,
    read_model,
    read_table,
    run_caption,
)
from autotagging.reporting.layers import padded_frames
from autotagging.reporting.tables import setup as tables
from autotagging.reporting.tables.files import save_table
from autotagging.steps.figures import flags


def figure_2(
    *,
    tags: flags.Tags,
    raw_tags: flags.RawTags,
    corpus: flags.Corpus,
    figure_files: flags.Figure,
) -> None:
    """Draw the merging of tags."""
    figure = plots.figure_2(
        read_table(tags, ("tag", "count")),
        read_table(raw_tags, ("raw_tag", "count", "merged_into")),
        caption=_all_clips(corpus),
    )
    plots.save_figure(figure, figure_files)


def tag_distribution(
    *,
    raw_tags: flags.RawTags,
    corpus: flags.Corpus,
    figure_files: flags.Figure,
    table_files: flags.Table,
) -> None:
    """Draw and list how many clips each tag has, before and after merging."""
    columns = ("raw_tag", "count", "merged_into", "merged_count", "kept")
    raw = read_table(raw_tags, columns)
    table = tables.tag_distribution(raw)
    kept = int((table["kept"] == "yes").sum())
    title = _all_clips(corpus)
    plots.save_figure(plots.tag_distribution(raw, kept=kept, caption=title), figure_files)
    caption = f"Tags before and after merging; the {kept} most frequent are kept. {title}."
    save_table(table, table_files, caption=caption)


def mel_examples(
    *,
    labels: flags.Labels,
    summary: flags.Summary,
    front_end: flags.FrontEnd,
    clips_per_tag: flags.ClipsPerTag,
    corpus: flags.Corpus,
    figure_files: flags.Figure,
) -> None:
    """Draw spectrograms of some clips of every tag on a page, as training reads them."""
    table = read_table(labels, ("clip_id", "mp3_path")).set_index("clip_id")
    table = table.drop(columns="mp3_path")
    read_table(summary, ("shard",))
    store = MelStore(summary)
    examples = plots.spread_clips(table[table.index.isin(store.clip_ids)], clips_per_tag)
    if examples.empty:
        raise UserError(f"{summary}: no clip with a tag in {labels} has a spectrogram")
    settings = read_front_end(front_end)
    figure = plots.mel_examples(
        table.sum(),
        examples,
        store.gather(examples["clip_id"].to_list()),
        seconds=settings["seconds"],
        log_scale=settings["log_scale"],
        caption=_all_clips(corpus),
    )
    plots.save_figure(figure, figure_files)


def figure_3(
    *,
    download: flags.Download,
    split: flags.Split,
    model_json: flags.ModelJson,
    clip_id: flags.ClipId = None,
    figure_files: flags.Figure,
) -> None:
    """Draw the stages of preprocessing, on one clip: by default the first test clip to be read."""
    import librosa  # takes longer than most figures

    from autotagging.mel import spectrogram as mel

    model = read_model(model_json)
    front_end = model["front_end"]
    options = model.get("options", {})
    rate, hop = front_end["sample_rate"], front_end["hop_length"]
    clip, waveform = read_clip(download, split, clip_id, sample_rate=rate)
    samples = mel.clip_samples(seconds=front_end["seconds"], sample_rate=rate)
    waveform = mel.fit_length(waveform, samples)
    spectrum = librosa.stft(waveform, n_fft=front_end["n_fft"], hop_length=hop)
    figure = plots.figure_3(
        waveform,
        librosa.power_to_db(np.abs(spectrum) ** 2, ref=1.0, amin=1e-10, top_db=None),
        mel.log_mel(
            waveform,
            sample_rate=rate,
            n_fft=front_end["n_fft"],
            hop_length=hop,
            n_mels=front_end["n_mels"],
            log_scale=front_end["log_scale"],
        ),
        sample_rate=rate,
        hop_length=hop,
        padded_frames=padded_frames(model["architecture"]),
        padding_side=options.get("padding_side", "both"),
        padding_value=options.get("padding_value", 0.0),
        log_scale=front_end["log_scale"],
        caption=f"clip {clip['clip_id']} ({clip['mp3_path']}). {run_caption([model])}",
    )
    plots.save_figure(figure, figure_files)


def _all_clips(corpus: str) -> str:
    name = corpus_name(corpus_title(corpus))
    return f"{name[0].upper()}{name[1:]}, all clips"
