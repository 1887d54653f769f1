"""Step figures: every figure and table of the paper, by its number there."""

from pathlib import Path
from typing import Any

import librosa
import numpy as np
import pandas as pd

from autotagging import mel, plots, story, tables
from autotagging.architecture import padded_frames
from autotagging.comparison import Run
from autotagging.comparison import differences as compare
from autotagging.errors import UserError
from autotagging.figure_inputs import (
    attribution,
    corpus_name,
    paper_row,
    read_audio,
    read_clip,
    read_front_end,
    read_metrics,
    read_model,
    read_predictions,
    read_published,
    read_runs,
    read_table,
    run_caption,
    same_length,
)
from autotagging.files import write_json
from autotagging.layout import corpus_title
from autotagging.pages import data_uri, write_page
from autotagging.store import MelStore
from autotagging.tablefiles import save_table


def figure_2(*, tags: Path, raw_tags: Path, corpus: str, svg: Path, png: Path) -> None:
    """Draw the merging of tags.

    Parameters
    ----------
    tags
        results/merge_tags/tags.csv and raw_tags.csv.
    raw_tags
        results/merge_tags/tags.csv and raw_tags.csv.
    corpus
        Name of the corpus, for the caption.
    svg
        Output.
    png
        Output.
    """
    figure = plots.figure_2(
        read_table(tags, ("tag", "count")),
        read_table(raw_tags, ("raw_tag", "count", "merged_into")),
        caption=corpus_name(corpus_title(corpus)),
    )
    plots.save_figure(figure, svg, png)


def tag_distribution(
    *, raw_tags: Path, corpus: str, svg: Path, png: Path, csv: Path, md: Path, html: Path
) -> None:
    """Draw and list how many clips each tag has, before and after merging.

    Parameters
    ----------
    raw_tags
        results/merge_tags/raw_tags.csv.
    corpus
        Name of the corpus, for the caption.
    svg
        Output.
    png
        Output.
    csv
        Output.
    md
        Output.
    html
        Output.
    """
    columns = ("raw_tag", "count", "merged_into", "merged_count", "kept")
    table = tables.tag_distribution(read_table(raw_tags, columns))
    kept = int((table["kept"] == "yes").sum())
    title = corpus_name(corpus_title(corpus))
    figure = plots.tag_distribution(read_table(raw_tags, columns), kept=kept, caption=title)
    plots.save_figure(figure, svg, png)
    caption = f"Tags before and after merging; the {kept} most frequent are kept. {title}."
    save_table(table, csv, md, html, caption=caption)


def mel_examples(
    *,
    labels: Path,
    summary: Path,
    front_end: Path,
    clips_per_tag: int,
    corpus: str,
    svg: Path,
    png: Path,
) -> None:
    """Draw spectrograms of some clips of every tag on a page, as training reads them.

    Parameters
    ----------
    labels
        results/merge_tags/labels.csv.
    summary
        results/extract_mel/summary.csv; the shards lie beside it.
    front_end
        results/extract_mel/front_end.json.
    clips_per_tag
        Clips to draw of each tag, spread evenly by clip_id; all where a tag has fewer.
    corpus
        Name of the corpus, for the caption.
    svg
        Output.
    png
        Output.
    """
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
        caption=corpus_name(corpus_title(corpus)),
    )
    plots.save_figure(figure, svg, png)


def figure_3(
    *,
    download: Path,
    split: Path,
    model_json: Path,
    clip_id: int | None = None,
    svg: Path,
    png: Path,
) -> None:
    """Draw the stages of preprocessing, on one clip.

    Parameters
    ----------
    download
        Folder results/download.
    split
        results/split/split.csv.
    model_json
        model.json of a trained model: its front end and padding are drawn.
    clip_id
        Any clip of the split; by default the first test clip that can be read.
    svg
        Output.
    png
        Output.
    """
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
        caption=f"clip {clip['clip_id']} ({clip['mp3_path']}), {corpus_name(model['corpus'])}",
    )
    plots.save_figure(figure, svg, png)


def figure_4(*, model_json: Path, svg: Path, png: Path) -> None:
    """Draw the architecture of a model.

    Parameters
    ----------
    model_json
        model.json of a trained model.
    svg
        Output.
    png
        Output.
    """
    model = read_model(model_json)
    figure = plots.figure_4(model["architecture"], caption=_architecture_caption(model))
    plots.save_figure(figure, svg, png)


def figure_5(*, history: list[Path], model_json: list[Path], svg: Path, png: Path) -> None:
    """Draw the loss per epoch.

    Parameters
    ----------
    history
        history.csv and model.json of each model and seed, in the same order.
    model_json
        history.csv and model.json of each model and seed, in the same order.
    svg
        Output.
    png
        Output.
    """
    runs, caption = read_runs(history, model_json)
    plots.save_figure(plots.figure_5(runs, caption=caption), svg, png)


def figure_6(
    *,
    predictions: Path,
    metrics: Path,
    clip_id: int | None = None,
    svg: Path,
    png: Path,
) -> None:
    """Draw predicted and actual tags of one test clip.

    Parameters
    ----------
    predictions
        predictions.npz and metrics.json of one model and seed.
    metrics
        predictions.npz and metrics.json of one model and seed.
    clip_id
        A test clip; by default the one whose accuracy is closest to the median.
    svg
        Output.
    png
        Output.
    """
    arrays = read_predictions(predictions)
    run = read_metrics(metrics)
    chosen = clip_id
    if chosen is None:
        chosen = plots.median_clip(
            arrays["clip_id"], arrays["scores"], arrays["labels"], threshold=run["threshold"]
        )
    rows = np.flatnonzero(arrays["clip_id"] == chosen)
    if not len(rows):
        raise UserError(f"{predictions}: clip {chosen} is not a test clip; choose another")
    which = "; the test clip of median accuracy" if clip_id is None else ""
    figure = plots.figure_6(
        arrays["scores"][rows[0]],
        arrays["labels"][rows[0]],
        [str(tag) for tag in arrays["tags"]],
        clip_id=chosen,
        threshold=run["threshold"],
        caption=f"{run['model']}, {run_caption([run])}{which}",
    )
    plots.save_figure(figure, svg, png)


def figure_7(
    *,
    history: list[Path],
    model_json: list[Path],
    roc: list[Path],
    metrics: list[Path],
    published: Path,
    svg: Path,
    png: Path,
) -> None:
    """Draw ROC-AUC per epoch, and the ROC curve.

    Parameters
    ----------
    history
        history.csv and model.json of each model and seed trained in epochs, in the same order.
    model_json
        history.csv and model.json of each model and seed trained in epochs, in the same order.
    roc
        roc.csv and metrics.json of each model and seed, in the same order.
    metrics
        roc.csv and metrics.json of each model and seed, in the same order.
    published
        Cited numbers; the paper's own is drawn.
    svg
        Output.
    png
        Output.
    """
    runs, _ = read_runs(history, model_json)
    same_length(roc=roc, metrics=metrics)
    results = [read_metrics(path) for path in metrics]
    curves = pd.concat(
        read_table(path, ("fpr", "macro", "micro")).assign(model=run["model"], seed=run["seed"])
        for path, run in zip(roc, results, strict=True)
    )
    aucs = ["roc_auc_macro", "roc_auc_micro"]
    scores = pd.DataFrame(results)[["model", "seed", *aucs]]
    figure = plots.figure_7(
        runs,
        curves,
        scores.astype(dict.fromkeys(aucs, float)),
        cited_auc=paper_row(published)["roc_auc"],
        caption=run_caption(results),
    )
    plots.save_figure(figure, svg, png)


def calibration(*, calibration: list[Path], metrics: list[Path], svg: Path, png: Path) -> None:
    """Draw how often a tag is there, against its score.

    Parameters
    ----------
    calibration
        calibration.csv and metrics.json of each model and seed, in the same order.
    metrics
        calibration.csv and metrics.json of each model and seed, in the same order.
    svg
        Output.
    png
        Output.
    """
    same_length(calibration=calibration, metrics=metrics)
    runs = [read_metrics(path) for path in metrics]
    bins = pd.concat(
        read_table(path, ("low", "high", "decisions", "mean_score", "share")).assign(
            model=run["model"], seed=run["seed"]
        )
        for path, run in zip(calibration, runs, strict=True)
    )
    errors = pd.DataFrame(runs)[["model", "seed", "calibration_error"]]
    plots.save_figure(plots.calibration(bins, errors, caption=run_caption(runs)), svg, png)


def differences(
    *,
    predictions: list[Path],
    metrics: list[Path],
    tags: Path,
    resamples: int,
    confidence: float,
    bootstrap_seed: int,
    csv: Path,
    md: Path,
    html: Path,
) -> None:
    """Compare each two models on the same test clips, with confidence intervals.

    Parameters
    ----------
    predictions
        predictions.npz and metrics.json of each model and seed, in the same order.
    metrics
        predictions.npz and metrics.json of each model and seed, in the same order.
    tags
        results/merge_tags/tags.csv, for the categories.
    resamples
        Of the clips, and of the tracks.
    confidence
        Share of the resamples that lies within the intervals.
    bootstrap_seed
        Of the draws.
    csv
        Output.
    md
        Output.
    html
        Output.
    """
    same_length(predictions=predictions, metrics=metrics)
    names = [read_metrics(path)["model"] for path in metrics]
    arrays = [read_predictions(path) for path in predictions]
    runs = [
        Run(name, *(each[key] for key in ("clip_id", "track", "labels", "scores")))
        for name, each in zip(names, arrays, strict=True)
    ]
    category = read_table(tags, ("tag", "category")).set_index("tag")["category"]
    table = compare(
        runs,
        category.loc[arrays[0]["tags"]].tolist(),
        resamples=resamples,
        seed=bootstrap_seed,
        confidence=confidence,
    )
    caption = (
        "Each two models on the same test clips: mean over the tags, and the difference with its "
        f"interval of {100 * confidence:g} % ({resamples:,} resamples) by clips, and by tracks, "
        "whose clips are alike. Clear: zero is outside the interval by tracks; not corrected for "
        "the number of comparisons."
    )
    save_table(table, csv, md, html, caption=caption)


def table_1(*, model_json: Path, csv: Path, md: Path, html: Path) -> None:
    """Make the table of the front end's parameters.

    Parameters
    ----------
    model_json
        model.json of a trained model.
    csv
        Output.
    md
        Output.
    html
        Output.
    """
    model = read_model(model_json)
    table = tables.table_1(model["front_end"], padded_frames=padded_frames(model["architecture"]))
    save_table(
        table, csv, md, html, caption="Table 1. Preprocessing parameters, of the paper and here."
    )


def table_2(*, model_json: Path, csv: Path, md: Path, html: Path) -> None:
    """Make the table of the shapes of a model's layers.

    Parameters
    ----------
    model_json
        model.json of a trained model.
    csv
        Output.
    md
        Output.
    html
        Output.
    """
    model = read_model(model_json)
    save_table(
        tables.table_2(model["architecture"]),
        csv,
        md,
        html,
        caption=(
            f"Table 2. Specification of the {model['model']}, of the paper and as built: channels "
            f"x mel bins x frames; {model['trainable_parameters']:,} trainable parameters."
        ),
    )


def table_4(*, metrics: list[Path], published: Path, csv: Path, md: Path, html: Path) -> None:
    """Make the table of ROC-AUC of this run beside published ones.

    Parameters
    ----------
    metrics
        metrics.json of each model and seed.
    published
        YAML with the cited rows.
    csv
        Output.
    md
        Output.
    html
        Output.
    """
    table = tables.table_4([read_metrics(path) for path in metrics], read_published(published))
    spread = (
        " Mean ± standard deviation (n - 1) over the seeds; ± 0: the same with every seed."
        if (table["seeds"] > 1).any()
        else ""
    )
    save_table(
        table,
        csv,
        md,
        html,
        caption=(
            "Table 4. Macro ROC-AUC, measured here and as cited. Accuracy is to be read beside "
            f"that of answering no to every tag, loss beside that of each tag's frequency.{spread}"
        ),
        leave_out=("accuracy_prior", "best_epoch", "comparable_with_paper"),
    )


def summary(
    *,
    metrics: list[Path],
    per_tag: Path,
    predictions: Path,
    split: Path,
    leakage: Path,
    download: Path,
    published: Path,
    figure_5: Path | None = None,
    figure_7: Path,
    html: Path,
    json: Path,
) -> None:
    """Make the first page of the report: results beside what they must be compared with.

    Parameters
    ----------
    metrics
        metrics.json of each model and seed.
    per_tag
        per_tag.csv and predictions.npz of the first seed of the first network; of the first model,
        if none of them is a network.
    predictions
        per_tag.csv and predictions.npz of the first seed of the first network; of the first model,
        if none of them is a network.
    split
        results/split/split.csv and leakage.csv.
    leakage
        results/split/split.csv and leakage.csv.
    download
        Folder results/download; clips whose audio can't be read are shown without.
    published
        Cited numbers; the paper's own are shown.
    figure_5
        Figures to show, as svg; none of the loss where no model is trained in epochs.
    figure_7
        Figures to show, as svg; none of the loss where no model is trained in epochs.
    html
        Output: the page.
    json
        Output: the numbers to follow from one experiment to the next.
    """
    runs = [read_metrics(path) for path in metrics]
    networks = [run for run in runs if story.listens(runs, run["model"])]
    shown = (networks or runs)[0]
    rows = story.comparison(runs, read_published(published))
    clips = story.example_clips(read_predictions(predictions))
    paths = read_table(split, ("clip_id", "mp3_path")).set_index("clip_id")["mp3_path"]
    for clip in clips:
        clip["mp3_path"] = paths[clip["clip_id"]]
        audio, clip["missing"] = read_audio(download, clip["mp3_path"])
        clip["uri"] = data_uri(audio, "audio/mpeg") if audio else ""
    figures = ((figure_5, "Loss per epoch (Fig. 5)"), (figure_7, "ROC-AUC and ROC curve (Fig. 7)"))
    write_page(
        html,
        "summary.html",
        shown=shown,
        networks=networks,
        paper=paper_row(published),
        corpus=corpus_name(shown["corpus"]),
        chance=story.CHANCE,
        comparison=rows,
        result=next(row for row in rows if row["method"] == shown["model"]),
        without_listening=story.without_listening(rows),
        leakage=read_table(leakage, ("level", "share")).to_dict("records"),
        figures=[
            {"uri": data_uri(svg.read_bytes(), "image/svg+xml"), "text": text}
            for svg, text in figures
            if svg
        ],
        tags=story.tag_ranking(read_table(per_tag, ("tag", "positives", "roc_auc"))),
        clips=clips,
        attribution=attribution(shown["corpus"]),
    )
    write_json(story.headline(runs), json)


def _architecture_caption(model: dict[str, Any]) -> str:
    return (
        f"{model['model']}: {model['trainable_parameters']:,} trainable parameters; shapes are "
        "mel bins x frames x channels"
    )
