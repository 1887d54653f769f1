"""Small files as the steps before the figures leave them, and where a test's figure goes."""

import json

import numpy as np
import soundfile

from autotagging.reporting.outputs import FigureFiles, TableFiles
from conftest import write_shards

RATE = 16_000
FRONT_END = {
    "sample_rate": 12000,
    "n_fft": 512,
    "hop_length": 256,
    "n_mels": 96,
    "seconds": 2.0,
    "frames": 94,
    "log_scale": "power_db",
}
ARCHITECTURE = [
    {"name": "log_mel", "type": "InputLayer", "output_shape": [96, 94], "parameters": 0},
    {"name": "channel", "type": "Reshape", "output_shape": [96, 94, 1], "parameters": 0},
    {"name": "pad", "type": "ZeroPadding2D", "output_shape": [96, 100, 1], "parameters": 0},
    {"name": "conv_1", "type": "Conv2D", "output_shape": [96, 100, 4], "parameters": 40},
    {"name": "tags", "type": "Dense", "output_shape": [3], "parameters": 15},
]
_HIGH = "_artists_high"
RUN = {"model": "crnn", "seed": 0, "corpus": "demo", "split": "random 6/1/3"}


def write_results(results):
    """Write the files of all steps, for a model with two seeds."""
    for seed in (0, 1):
        folder = results / f"seed-{seed}"
        folder.mkdir()
        write_run(folder, {**RUN, "seed": seed})
    (results / "tags.csv").write_text("tag,category,count,merged_from\ndrum,other,5,drum;drums\n")
    (results / "raw_tags.csv").write_text(
        "raw_tag,count,merged_into,merged_count,kept\n"
        "drum,3,drum,5,1\ndrums,4,drum,5,1\nhappy,1,happy,1,0\n"
    )
    (results / "audio.json").write_text('{"title": "demo"}')
    write_corpus(results)
    write_mels(results)


def write_run(folder, run):
    model = {
        **run,
        "front_end": FRONT_END,
        "best_epoch": 2,
        "architecture": ARCHITECTURE,
        "trainable_parameters": 55,
        "multiply_adds": 2_500_000,
        "tags": ["drum", "piano", "no singer"],
    }
    (folder / "model.json").write_text(json.dumps(model))
    (folder / "metrics.json").write_text(json.dumps(metrics_of(run)))
    write_tables_of_run(folder)
    np.savez(
        folder / "predictions.npz",
        clip_id=np.array([7, 8, 9]),
        track=np.array([1, 1, 2]),
        artist=np.array([1, 1, 1]),
        scores=np.array([[0.9, 0.1, 0.2], [0.9, 0.9, 0.2], [0.9, 0.9, 0.9]], np.float32),
        labels=np.array([[1, 0, 0]] * 3, np.uint8),
        tags=np.array(["drum", "piano", "no singer"]),
    )


def metrics_of(run):
    scores = {
        "roc_auc_macro": 0.75,
        "roc_auc_micro": None,
        "pr_auc_macro": 0.5,
        "accuracy": 0.9,
        "loss": 0.3,
        "calibration_error": 0.1,
        "threshold": 0.5,
    }
    constant = {"roc_auc_macro": 0.5, "accuracy": 0.8}
    baselines = {"all_zero": constant, "prior": {**constant, "loss": 0.4}}
    baselines["lookup"] = {**constant, "roc_auc_macro": 0.625}
    limits = {"roc_auc_macro": {"low": 0.625, "high": 0.875}, "roc_auc_micro": None}
    limits |= {"groups": 12, "resamples": 1000, "resamples_without_some_tag": 989}
    limits["gain_over_lookup"] = {"roc_auc_macro": {"low": -0.125, "high": 0.25}}
    metrics = {**run, **scores, "n_clips": 3, "n_tags": 3, "n_tags_scored": 2}
    metrics |= {"n_clips_with_tags": 3, "gains": {"over_lookup": {"roc_auc_macro": 0.125}}}
    metrics |= {"tags_not_scored": ["drum"], "confidence": 0.95, "intervals": {"artists": limits}}
    metrics |= {"epochs": 2, "best_epoch": 2, "synonyms": "merge", "baselines": baselines}
    validation = {"roc_auc_macro": 0.8125, "n_clips": 2, "n_tags_scored": 2}
    limits = {"roc_auc_macro": {"low": 0.75, "high": 0.9375}, "groups": 4}
    metrics["validation"] = {**validation, "intervals": {"artists": limits}}
    metrics["epoch_choices"] = {
        name: {"epoch": epoch, "roc_auc_macro": auc, "pr_auc_macro": 0.5, "loss": 0.3}
        for name, epoch, auc in (("best_on_validation", 2, 0.75), ("last", 2, 0.75))
    } | {"upper_bound_best_on_test": None}
    return metrics


def write_tables_of_run(folder):
    (folder / "history.csv").write_text(
        "epoch,loss,val_loss,auc,val_auc\n1,0.5,0.6,0.5,\n2,0.4,0.5,0.6,0.7\n"
    )
    (folder / "per_tag.csv").write_text(
        "tag,category,positives,artists,share,"
        "roc_auc,roc_auc_artists_low,roc_auc_artists_high,pr_auc\n"
        "drum,instrument,3,2,1,,,,\npiano,instrument,1,1,0.3,0.25,0.125,0.5,0.4\n"
        "no singer,vocal,2,2,0.6,0.75,0.5,1,0.7\n"
    )
    differences = ("roc_auc_minus_rest", "gain_over_lookup", "gain_over_lookup_minus_rest")
    columns = [f"{name}{side}" for name in differences for side in ("", "_artists_low", _HIGH)]
    (folder / "per_category.csv").write_text(
        f"category,tags,tags_scored,roc_auc,pr_auc,{','.join(columns)}\n"
        "mood,2,1,0.25,0.4,-0.5,-0.625,-0.25,0.125,-0.125,0.25,0.375,0.25,0.5\n"
        "vocal,1,1,0.75,0.7,0.5,-0.125,0.75,-0.25,-0.375,0.25,-0.375,-0.5,-0.25\n"
    )
    (folder / "per_epoch.csv").write_text(
        "epoch,roc_auc_macro,best,last,oracle\n1,0.5,0,0,0\n2,0.75,1,1,1\n"
    )
    (folder / "calibration.csv").write_text(
        "low,high,decisions,mean_score,share\n0,0.5,4,0.2,0\n0.5,1,5,0.9,0.6\n"
    )
    (folder / "roc.csv").write_text("fpr,macro,micro\n0,0,0\n0.5,0.9,0.9\n1,1,1\n")


def write_corpus(folder):
    """Write an unreadable clip 4 and a readable clip 5, both test clips."""
    audio = folder / "corpus" / "a"
    audio.mkdir(parents=True)
    (audio / "bad.mp3").write_bytes(b"")
    tone = np.sin(2 * np.pi * 440 * np.arange(2 * RATE) / RATE)
    soundfile.write(audio / "good.mp3", 0.5 * tone, RATE)
    (folder / "split.csv").write_text(
        "clip_id,mp3_path,subset\n5,a/good.mp3,test\n4,a/bad.mp3,test\n6,a/none.mp3,train\n"
    )


def write_mels(folder):
    """Write labels of four clips and the spectrograms of three; that of clip 6 is bad."""
    (folder / "labels.csv").write_text(
        "clip_id,mp3_path,drum,flute,harp\n4,a,1,0,0\n5,b,1,1,0\n6,c,1,0,1\n7,d,1,0,0\n"
    )
    (folder / "front_end.json").write_text(json.dumps(FRONT_END))
    write_shards(folder, {4: np.full((96, 94), -10), 5: np.full((96, 94), -20), 6: None})


def mel_inputs(folder):
    names = {"labels": "labels.csv", "summary": "summary.csv", "front_end": "front_end.json"}
    names["audio"] = "audio.json"
    return {flag: folder / name for flag, name in names.items()}


def drawn(folder):
    return FigureFiles(folder / "figures/out.svg", folder / "figures/out.png")


def written(folder):
    suffixes = ("csv", "md", "html", "tex")
    return TableFiles(*(folder / f"tables/out.{suffix}" for suffix in suffixes))


def seeds(folder, name):
    return [folder / "seed-0" / name, folder / "seed-1" / name]


def metrics_and_models(folder):
    """Inputs of a table of results."""
    names = {"metrics": "metrics.json", "model_json": "model.json"}
    return {flag: seeds(folder, name) for flag, name in names.items()}


def many(folder, name):
    """Write results of five models; return the paths of their metrics and of another file."""
    folders = [folder / f"m_{number}" for number in range(5)]
    for model in folders:
        model.mkdir()
        write_run(model, {**RUN, "model": model.name})
    return [model / "metrics.json" for model in folders], [model / name for model in folders]


def files_in(folder):
    return sorted(path.name for path in folder.iterdir())


def assert_draws(command, folder, **inputs):
    """Run a figure's command; it leaves an SVG and a PNG, nothing else, and no path in them."""
    output = drawn(folder)
    command(**inputs, figure_files=output)
    assert files_in(output.svg.parent) == ["out.png", "out.svg"]
    assert output.png.read_bytes().startswith(b"\x89PNG")
    content = output.svg.read_text()
    assert "<svg" in content
    assert str(folder) not in content


def assert_brackets(caption):
    """Check that a caption says what the intervals of a table are, and of which clips it is."""
    assert (
        "In brackets: 95 % confidence interval, bootstrap over 12 artists; for several seeds, the "
        "mean limits."
    ) in caption
    assert caption.endswith("split random 6/1/3; crnn, seeds 0, 1; 3 test clips.")
    assert caption.count(". ") <= 2  # at most three sentences


UNDEFINED = "In 989 of 1,000 resamples, a tag was on all clips or on none"
"""What the notes below tables with intervals say of the results in this module."""
