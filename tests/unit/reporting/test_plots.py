import hashlib
import itertools
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from matplotlib.text import Text

from autotagging.reporting import plots
from autotagging.reporting.plots.model import group_blocks

# Fig. 6 of the paper: the scores that it prints, and the clip's six actual tags.
PAPER_SCORES = {
    **{"techno": 0.818, "fast": 0.624, "electro": 0.453, "beat": 0.434, "dance": 0.386},
    **{"drum": 0.176, "synth": 0.173, "trance": 0.171, "loud": 0.156, "no singer": 0.113},
    **{"piano": 0.003, "violin": 0.001},
    **{f"tag {number}": 0.0 for number in range(38)},
}
PAPER_TAGS = ["techno", "beat", "dance", "synth", "piano", "violin"]

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


def layer(name, type_name, shape, parameters=0, **more):
    return {
        "name": name,
        "type": type_name,
        "output_shape": shape,
        "parameters": parameters,
        **more,
    }


SMALL_MODEL = [
    layer("log_mel", "InputLayer", [8, 12]),
    layer("channel", "Reshape", [8, 12, 1]),
    layer("pad", "ZeroPadding2D", [8, 16, 1]),
    layer("conv_1", "Conv2D", [8, 16, 4], 40),
    layer("norm_1", "BatchNormalization", [8, 16, 4], 16, trainable_parameters=8),
    layer("pool_1", "MaxPooling2D", [1, 2, 4]),
    layer("sequence", "Reshape", [2, 4]),
    layer("gru_1", "GRU", [2, 3], 81),
    layer("gru_2", "GRU", [3], 72),
    layer("dropout", "Dropout", [3], detail="0.3"),
    layer("tags", "Dense", [5], 20, detail="sigmoid"),
]


def runs(model="crnn", seeds=(0,), losses=((0.5, 0.4, 0.45),)):
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "model": model,
                    "seed": seed,
                    "epoch": [1, 2, 3],
                    "loss": np.array(loss) - 0.1,
                    "val_loss": loss,
                    "auc": [0.6, 0.7, 0.8],
                    "val_auc": [0.6, 0.65, 0.64],
                    "best": np.arange(3) == np.argmin(loss),
                }
            )
            for seed, loss in zip(seeds, losses, strict=True)
        ],
        ignore_index=True,
    )


def three_seeds():
    """Three runs, of which the second stops after two epochs and the third after one."""
    all_runs = runs(seeds=(0, 1, 2), losses=((0.5, 0.4, 0.3), (0.7, 0.6, 0.9), (0.6, 0.9, 0.9)))
    return all_runs[all_runs["epoch"] <= 3 - all_runs["seed"]]


def roc(model="crnn", seed=0, tpr=(0.0, 0.8, 1.0)):
    curve = {"fpr": [0.0, 0.5, 1.0], "macro": tpr, "micro": tpr, "model": model, "seed": seed}
    return pd.DataFrame(curve)


def aucs(*rows):
    return pd.DataFrame(rows, columns=["model", "seed", "roc_auc_macro", "roc_auc_micro"])


def paper_clip(**changes):
    labels = np.array([tag in PAPER_TAGS for tag in PAPER_SCORES], np.uint8)
    arguments = {"clip_id": 42, "threshold": 0.5, **changes}
    return plots.figure_6(
        np.array(list(PAPER_SCORES.values()), np.float32), labels, list(PAPER_SCORES), **arguments
    )


def clip_stages(caption="", side="both", value=0.0):
    rng = np.random.default_rng(0)
    return plots.figure_3(
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


def score_bins(model="crnn", seed=0):
    return pd.DataFrame(
        {
            **{"model": model, "seed": seed, "low": [0, 0.5], "high": [0.5, 1.0]},
            **{"decisions": [90, 10], "mean_score": [0.1, 0.8], "share": [0.05, 0.4]},
        }
    )


def errors(*models):
    return pd.DataFrame({"model": models, "seed": 0, "calibration_error": 0.085})


def sheet(tags=5, each=4, caption=""):
    examples = pd.DataFrame(
        [(f"tag {tag}", 100 * tag + clip) for tag in range(tags) for clip in range(each)],
        columns=["tag", "clip_id"],
    )
    mels = np.random.default_rng(0).normal(-30, 10, (len(examples), 6, 170)).astype(np.float16)
    counts = pd.Series(9, index=examples["tag"].unique())
    return plots.mel_examples(
        counts, examples, mels, seconds=3.6, log_scale="power_db", caption=caption
    )


def scores_of(key, names, *models):
    """Estimates of each name; the second has none."""
    rows = [
        {
            **{"category": "mood", "positives": 12, "tags": 6, "tags_scored": 5, key: name},
            **{"model": model, "roc_auc": 0.8, "roc_auc_low": 0.7, "roc_auc_high": 0.9},
        }
        for model in models
        for name in names
    ]
    table = pd.DataFrame(rows)
    values = ["roc_auc", "roc_auc_low", "roc_auc_high"]
    table.loc[table[key] == names[1], values] = np.nan
    return table


TAG_NAMES = ["no singer", *(f"tag {number}" for number in range(20))]
CATEGORIES = ["all", "genre", "instrument", "mood", "vocal"]


def epochs_on_test(seed=0):
    choices = {"best": [0, 1, 0], "last": [0, 0, 1], "oracle": [0, 0, 1]}
    numbers = {"epoch": [1, 2, 3], "roc_auc_macro": [0.6, 0.7, 0.72]}
    return pd.DataFrame({"model": "crnn", "seed": seed, **numbers, **choices})


CAPTION = "synthetic demo corpus (not MagnaTagATune), split random 183/14/42, seeds 0, 1"
ALL_FIGURES = {
    "calibration": lambda: plots.calibration(score_bins(), errors("crnn"), caption=CAPTION),
    "calibration of models": lambda: plots.calibration(
        pd.concat([score_bins(), score_bins("lookup")]), errors("crnn", "lookup"), caption=CAPTION
    ),
    "figure_2": lambda: plots.figure_2(TAGS, RAW_TAGS, caption=CAPTION),
    "mel_examples": lambda: sheet(caption=CAPTION),
    "figure_3": lambda: clip_stages(CAPTION),
    "figure_4": lambda: plots.figure_4(SMALL_MODEL, caption=CAPTION),
    "figure_5": lambda: plots.figure_5(runs(), caption=CAPTION),
    "figure_5 of seeds": lambda: plots.figure_5(three_seeds(), caption=CAPTION),
    "figure_6": lambda: paper_clip(caption=CAPTION),
    "figure_7": lambda: plots.figure_7(
        runs(),
        pd.concat([roc(), roc("lookup")]),
        aucs(("crnn", 0, 0.7, 0.8), ("lookup", 0, 0.8, 0.8)),
        test=epochs_on_test(),
        cited_auc=0.893,
        caption=CAPTION,
    ),
    "figure_7 of seeds": lambda: plots.figure_7(
        three_seeds(),
        pd.concat([roc(seed=seed, tpr=(0, 0.7 + seed / 10, 1)) for seed in range(3)]),
        aucs(*(("crnn", seed, 0.7 + seed / 10, 0.8) for seed in range(3))),
        test=pd.concat([epochs_on_test(seed) for seed in range(3)]),
        cited_auc=0.893,
        caption=CAPTION,
    ),
    "tag_scores": lambda: plots.tag_scores(
        scores_of("tag", TAG_NAMES, "crnn", "lookup"), confidence=0.95, caption=CAPTION
    ),
    "category_scores of many": lambda: plots.category_scores(
        scores_of("category", CATEGORIES, *(f"network_{n}" for n in range(6))),
        confidence=0.95,
        caption=CAPTION,
    ),
    "category_scores": lambda: plots.category_scores(
        scores_of("category", CATEGORIES, "crnn", "lookup"), confidence=0.95, caption=CAPTION
    ),
}


def texts(figure):
    return [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]


def band(axes, number):
    """Lowest and highest y of a band at each x where it is drawn."""
    edge = axes.collections[number].get_paths()[0].vertices
    heights = pd.DataFrame(edge, columns=["x", "y"]).groupby("x")["y"]
    return {x: pytest.approx(pair) for x, *pair in heights.agg(["min", "max"]).itertuples()}


def legend_labels(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_figure_2_counts_tags_and_segments():
    figure = plots.figure_2(TAGS, RAW_TAGS, caption="demo")
    assert figure.get_suptitle().startswith("7 raw tags → 3 after merging synonyms → 2 most")
    bars = [round(bar.get_width()) for bar in figure.axes[0].patches]
    assert bars == [300, 120, 40, 200, 90, 0]
    written = [text.get_text().replace("\xa0", " ") for text in texts(figure)]
    assert "+ violins, fiddle" in written
    assert "+ man singing" in written


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


def test_examples_are_spread_over_the_clips_of_a_tag():
    labels = pd.DataFrame(
        {"rock": [1] * 10, "flute": [0, 1, 0, 1, 0, 0, 0, 0, 0, 1], "harp": [0] * 10},
        index=[30, 20, 10, 40, 50, 60, 70, 80, 90, 100],
    )
    examples = plots.spread_clips(labels, 4).groupby("tag")["clip_id"].agg(list)
    assert examples.to_dict() == {"rock": [20, 40, 70, 90], "flute": [20, 40, 100]}
    assert plots.spread_clips(labels, 1)["clip_id"].tolist() == [60, 40]


def test_mel_examples_shows_every_clip_with_its_id():
    counts = pd.Series({"rock": 9, "flute": 1, "harp": 2})
    examples = pd.DataFrame({"tag": ["rock", "rock", "flute"], "clip_id": [7, 8, 7]})
    mels = np.zeros((3, 2, 160), np.float16)
    mels[1] = np.arange(160)
    figure = plots.mel_examples(counts, examples, mels, seconds=29.12, log_scale="power_db")
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


def test_figure_4_groups_layers_by_their_number():
    blocks = group_blocks(SMALL_MODEL)
    assert [(block.title, block.output_shape, block.parameters) for block in blocks] == [
        ("Input", (8, 16, 1), 0),
        ("Convolution 1", (1, 2, 4), 48),
        ("Reshape", (2, 4), 0),
        ("Recurrent 1", (2, 3), 81),
        ("Recurrent 2", (3,), 72),
        ("Output", (5,), 20),
    ]
    assert blocks[1].layers == ("conv 3x3", "batch norm", "max pool 8x8")
    assert blocks[-1].layers == ("dropout 0.3", "dense (sigmoid)")


def test_figure_4_draws_a_model_it_has_never_heard_of():
    figure = plots.figure_4([layer("a", "Attention", [3, 4], 7), layer("b", "Novel", [2])])
    assert "7 parameters" in [text.get_text() for text in texts(figure)]


def test_figure_5_has_a_panel_per_model_and_averages_seeds():
    two_seeds = runs(seeds=(0, 1), losses=((0.5, 0.4, 0.45), (0.7, 0.6, 0.35)))
    figure = plots.figure_5(pd.concat([two_seeds, runs("fcn")]))
    crnn, fcn = figure.axes
    assert (crnn.get_title(loc="left"), fcn.get_title(loc="left")) == ("crnn", "fcn")
    lines = {line.get_label(): line for line in crnn.lines}
    assert lines["validation"].get_ydata() == pytest.approx([0.6, 0.5, 0.4])
    best = lines["best epochs: 2, 3"]
    assert list(best.get_xdata()) == [2, 3]
    assert list(best.get_ydata()) == [0.4, 0.35]
    assert crnn.get_legend().get_title().get_text() == "mean ± std of 2 seeds"
    assert "best epoch: 2" in legend_labels(fcn)
    assert fcn.get_legend().get_title().get_text() == ""
    assert not fcn.collections


def test_figure_5_averages_the_seeds_that_are_still_training():
    axes = plots.figure_5(three_seeds()).axes[0]
    mean = next(line for line in axes.lines if line.get_label() == "validation")
    assert mean.get_ydata() == pytest.approx([0.6, 0.5, 0.3])
    # Losses 0.5, 0.6, 0.7, of std 0.1; then 0.4, 0.6, of std 0.141; then 0.3 alone.
    deviation = 0.02**0.5
    assert band(axes, 1) == {1: [0.5, 0.7], 2: [0.5 - deviation, 0.5 + deviation]}
    title = axes.get_legend().get_title().get_text()
    assert title == "mean ± std of 3 seeds;\nafter epoch 1, of those still training"


def test_the_legend_has_room_for_the_best_epochs_of_many_seeds():
    every = runs(seeds=range(6), losses=((0.5, 0.4, 0.45),) * 6)
    spread_out = every.assign(best=every["epoch"] == 1, epoch=every["epoch"] + 10 * every["seed"])
    assert "best epochs: 1 to 51" in legend_labels(plots.figure_5(spread_out).axes[0])


def test_figure_6_reproduces_the_accuracy_of_the_paper():
    figure = paper_clip()
    axes = figure.axes[0]
    title = axes.get_title(loc="left")
    assert title == "Clip 42: accuracy = [TP + TN] / all\n= [1 + 43] / 50 = 0.88"
    assert legend_labels(axes)[:4] == [
        "TP true positive: 1",
        "FP false positive: 1",
        "FN false negative: 5",
        "TN true negative: 43",
    ]
    codes = [text.get_text() for text in texts(figure)]
    assert "TP 0.818" in codes
    assert "FP 0.624" in codes


def test_a_score_at_the_threshold_is_negative():
    kinds = plots.outcomes(np.array([0.5, 0.51, 0.5, 0.51]), np.array([1, 1, 0, 0]), threshold=0.5)
    assert kinds.tolist() == ["FN", "TP", "TN", "FP"]


def test_median_clip_is_the_lowest_id_of_those_nearest_to_the_median():
    labels = np.zeros((5, 4), np.uint8)
    scores = np.zeros((5, 4))
    for row, wrong in enumerate((0, 2, 1, 1, 4)):  # right: 4, 2, 3, 3, 0; median 3
        scores[row, :wrong] = 0.9
    clip_ids = np.array([1, 2, 30, 20, 3])
    assert plots.median_clip(clip_ids, scores, labels, threshold=0.5) == 20


def test_figure_7_states_what_is_measured_and_what_is_cited():
    curves = pd.concat([roc(), roc(seed=1, tpr=(0.0, 0.6, 1.0))])
    scores = aucs(("crnn", 0, 0.70, 0.9), ("crnn", 1, 0.80, 0.9))
    both = runs(seeds=(0, 1), losses=((0.5, 0.4, 0.45),) * 2)
    left, right = plots.figure_7(both, curves, scores, cited_auc=0.893).axes
    assert "paper: 0.893 (cited,\nMagnaTagATune; set and\nepoch not stated)" in legend_labels(left)
    assert legend_labels(right) == [
        "macro average, AUC 0.750 ± 0.071",
        "micro average, AUC 0.900 ± 0",
        "chance, AUC 0.500",
    ]
    assert right.get_legend().get_title().get_text() == "mean ± std of 2 seeds"
    mean = next(line for line in right.lines if line.get_label().startswith("macro"))
    assert np.interp(0.5, *mean.get_data()) == pytest.approx(0.7)
    deviation = 0.02**0.5  # of 0.8 and 0.6
    assert band(right, 0) == {0: [0, 0], 0.5: [0.7 - deviation, 0.7 + deviation], 1: [1, 1]}


def test_figure_7_says_what_each_choice_of_an_epoch_gives_on_the_test_clips():
    curve = roc(), aucs(("crnn", 0, 0.7, 0.9))
    left = plots.figure_7(runs(), *curve, test=epochs_on_test()).axes[0]
    label = "test: best epoch 0.700,\nlast 0.720,\nupper bound 0.720"
    assert label in legend_labels(left)
    line = next(line for line in left.lines if line.get_label() == label)
    assert line.get_ydata() == pytest.approx([0.6, 0.7, 0.72])


def test_figure_7_draws_no_line_between_the_few_epochs_that_were_kept():
    curve = roc(), aucs(("crnn", 0, 0.7, 0.9))
    left = plots.figure_7(runs(), *curve, test=epochs_on_test().iloc[1:]).axes[0]
    (points,) = (line for line in left.lines if line.get_label().startswith("test: "))
    assert (points.get_linestyle(), points.get_marker()) == ("None", "s")
    assert points.get_xydata().tolist() == [[2, 0.7], [3, 0.72]]


def test_figure_7_takes_models_without_epochs_and_undefined_numbers(tmp_path):
    history = runs().assign(val_auc=np.nan, auc=np.nan)
    curves = pd.concat([roc(tpr=(np.nan,) * 3), roc("lookup")])
    scores = aucs(("crnn", 0, np.nan, np.nan), ("lookup", 0, 0.7, 0.8))
    figure = plots.figure_7(history, curves, scores, cited_auc=0.893)
    assert "macro average, AUC undefined" in legend_labels(figure.axes[1])
    assert "lookup, macro, AUC 0.700" in legend_labels(figure.axes[1])
    plots.save_figure(figure, plots.FigureFiles(tmp_path / "a.svg", tmp_path / "a.png"))


def test_figure_7_draws_models_without_epochs_by_themselves():
    scores = aucs(("lookup", 0, 0.7, 0.8))
    (axes,) = plots.figure_7(runs().iloc[:0], roc("lookup"), scores).axes
    assert legend_labels(axes)[:2] == ["macro average, AUC 0.700", "micro average, AUC 0.800"]


def test_tags_are_drawn_in_their_order_with_their_intervals():
    table = scores_of("tag", TAG_NAMES[:3], "crnn", "lookup")
    (axes,) = plots.tag_scores(table, confidence=0.9).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == TAG_NAMES[:3]
    assert axes.yaxis_inverted()
    points = {line.get_label(): line for line in axes.lines}
    hollow = [line for line in axes.lines if line.get_markerfacecolor() == "white"]
    assert not any(np.isfinite(line.get_xdata()).any() for line in hollow)
    assert points["crnn"].get_xdata() == pytest.approx([0.8, np.nan, 0.8], nan_ok=True)
    (line, *_) = axes.collections[0].get_segments()
    assert line[:, 0].tolist() == [0.7, 0.9]
    written = [text.get_text() for text in axes.texts]
    assert written.count("not scored") == 1
    assert "12 mood" in written


def test_tags_of_few_clips_are_hollow():
    table = scores_of("tag", TAG_NAMES[:3], "crnn").assign(positives=[12, 0, 4])
    (axes,) = plots.tag_scores(table, confidence=0.9).axes
    (hollow,) = (line for line in axes.lines if line.get_markerfacecolor() == "white")
    assert np.isfinite(hollow.get_xdata()).tolist() == [False, False, True]


def test_categories_say_how_many_of_their_tags_are_scored():
    figure = plots.category_scores(
        scores_of("category", CATEGORIES, "crnn"), confidence=0.9, caption=CAPTION
    )
    assert "5 of 6" in [text.get_text() for text in figure.axes[0].texts]
    (legend,) = figure.legends
    assert legend.get_title().get_text() == "lines: 90 % confidence interval, by tracks"


def test_figure_5_takes_undefined_losses(tmp_path):
    figure = plots.figure_5(runs().assign(val_loss=np.nan))
    plots.save_figure(figure, plots.FigureFiles(tmp_path / "a.svg", tmp_path / "a.png"))


def test_calibration_adds_the_decisions_of_seeds_up():
    # In the upper bin of the second seed 30 decisions have the tag in 0.8 of cases; 10 and 30
    # make 0.25 * 0.4 + 0.75 * 0.8 = 0.7. Its lower bin is empty.
    other = score_bins(seed=1).assign(
        decisions=[0, 30], share=[np.nan, 0.8], mean_score=[np.nan, 0.9]
    )
    figure = plots.calibration(pd.concat([score_bins(), other]), errors("crnn"))
    upper, lower = figure.axes
    _, line = upper.get_lines()
    assert line.get_ydata().tolist() == pytest.approx([0.05, 0.7])
    assert line.get_xdata().tolist() == pytest.approx([0.1, 0.875])
    assert [bar.get_height() for bar in lower.patches] == [90, 40]
    assert "calibration error 0.085" in legend_labels(upper)


@pytest.mark.parametrize("name", ALL_FIGURES)
def test_figures_are_legible_at_the_size_of_a_column(name):
    figure = ALL_FIGURES[name]()
    assert figure.get_figwidth() in ((10.64,) if name == "mel_examples" else (3.5, 7.2))
    figure.canvas.draw()
    undrawn = ticks_beyond_limits(figure)
    for text in texts(figure):
        assert text.get_fontsize() >= 7, text
        if text not in undrawn:
            box = text.get_window_extent()
            assert min(box.x0, box.y0) >= -1, text
            assert box.x1 <= figure.bbox.x1 + 1, text
            assert box.y1 <= figure.bbox.y1 + 1, text


def ticks_beyond_limits(figure):
    """Labels that Matplotlib keeps but never draws."""
    return {
        label
        for axes in figure.axes
        for axis in (axes.xaxis, axes.yaxis)
        for tick in axis.get_major_ticks()
        for label in (tick.label1, tick.label2)
        if not min(axis.get_view_interval()) <= tick.get_loc() <= max(axis.get_view_interval())
    }


@pytest.mark.parametrize("name", ALL_FIGURES)
def test_figures_name_their_axes(name):
    for axes in ALL_FIGURES[name]().axes:
        if axes.axison and axes.get_label() != "<colorbar>":
            assert axes.get_xlabel(), name
            assert axes.get_ylabel() or name == "figure_6"


# What a colour looks like without one kind of cones: linear RGB to linear RGB, for the severity 1.0
# of Machado, Oliveira and Fernandes 2009.
COLOUR_BLIND = {
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}


def lab(colour, vision):
    """CIE L*a*b* of a colour as seen with a kind of colour vision."""
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(np.array(COLOUR_BLIND[vision]) @ linear, 0, 1)
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    ratio = np.array(to_xyz) @ linear / [0.9505, 1.0, 1.089]
    x, y, z = np.where(ratio > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("vision", COLOUR_BLIND)
@pytest.mark.parametrize("name", ALL_FIGURES)
def test_lines_of_a_panel_are_told_apart_with_any_colour_vision(name, vision):
    """By their colours, at least 20 apart where 2.3 is just noticed, or else by their dashes."""
    figure = ALL_FIGURES[name]()
    legends = [*figure.legends, *(axes.get_legend() for axes in figure.axes)]
    for legend in filter(None, legends):
        lines = legend.get_lines()
        for one, other in itertools.combinations(lines, 2):
            looks = [(line.get_linestyle(), line.get_marker()) for line in (one, other)]
            colours = [lab(line.get_color(), vision) for line in (one, other)]
            assert looks[0] != looks[1] or np.linalg.norm(colours[0] - colours[1]) > 20, name


def test_two_processes_write_the_same_bytes(tmp_path):
    script = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1])\n"
        "import test_plots\n"
        "for name, make in test_plots.ALL_FIGURES.items():\n"
        "    files = test_plots.plots.FigureFiles(Path(f'{name}.svg'), Path(f'{name}.png'))\n"
        "    test_plots.plots.save_figure(make(), files)\n"
    )
    folders = {"1": "UTC", "2": "Asia/Tokyo"}
    processes = []
    for seed, zone in folders.items():
        (tmp_path / seed).mkdir()
        process = subprocess.Popen(
            [sys.executable, "-c", script, os.path.dirname(__file__)],
            cwd=tmp_path / seed,
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": zone},
        )
        processes.append(process)
    assert [process.wait() for process in processes] == [0, 0]
    digests = [
        {
            path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in (tmp_path / seed).iterdir()
        }
        for seed in folders
    ]
    assert len(digests[0]) == 2 * len(ALL_FIGURES)
    assert digests[0] == digests[1]


def test_the_users_own_matplotlib_settings_change_nothing(tmp_path):
    import matplotlib as mpl

    plots.save_figure(paper_clip(), plots.FigureFiles(tmp_path / "a.svg", tmp_path / "a.png"))
    with mpl.rc_context({"font.size": 20, "savefig.dpi": 50, "svg.fonttype": "none"}):
        plots.save_figure(paper_clip(), plots.FigureFiles(tmp_path / "b.svg", tmp_path / "b.png"))
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


@pytest.mark.parametrize(
    ("log_scale", "label", "span"),
    [("power_db", "power (dB)", 80), ("log1p", "ln(1 + power)", 8)],
)
def test_the_colours_of_spectrograms_go_with_their_log_scale(log_scale, label, span):
    rng = np.random.default_rng(0)
    counts = pd.Series({"rock": 2})
    examples = pd.DataFrame({"tag": ["rock"] * 2, "clip_id": [7, 8]})
    mels = rng.uniform(0, 6, (2, 96, 80)).astype(np.float16)
    figure = plots.mel_examples(counts, examples, mels, seconds=1, log_scale=log_scale)
    norm = figure.axes[0].images[0].norm
    assert norm.vmax - norm.vmin == pytest.approx(span)
    assert label in [text.get_text() for text in texts(figure)]
