"""Subcommands as tests run them: flags in, a process of its own, standard error out."""

import os
import resource
import subprocess
import sys

from conftest import ROOT

PAPER_SPLIT = ["--train", "19773", "--validation", "1521", "--test", "4566", "--seed", "0"]
FRONT_END = ["--sample-rate", "12000", "--n-fft", "512", "--hop-length", "256", "--n-mels", "96"]
FRONT_END += ["--log-scale", "power_db", "--seconds", "29.12"]


def autotagging(
    *arguments, code=0, without="no module", most_bytes=resource.RLIM_INFINITY, env=None
):
    """Run a subcommand in a process of its own; return its standard error."""
    command = f"""
import sys
from autotagging.cli import main
try:
    main()
finally:
    assert {without!r} not in sys.modules, "{without} was loaded"
"""
    result = subprocess.run(
        [sys.executable, "-c", command, *map(str, arguments)],
        cwd=ROOT,
        encoding="utf-8",
        capture_output=True,
        env={**os.environ, **(env or {})},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes)),
    )
    assert result.returncode == code, result.stderr
    assert "Traceback" not in result.stderr
    return result.stderr


def download(corpus, out, *options, **expected):
    return autotagging(
        "download",
        *("--corpus", corpus),
        *(() if "--remote" in options else ("--remote", "workflow/resources/magnatagatune.yaml")),
        *("--demo-clips", 20, "--demo-seed", 0, "--threads", 1),
        *("--annotations", out / "annotations_final.csv"),
        *("--clip-info", out / "clip_info_final.csv"),
        *("--clips", out / "clips.csv", "--groups", out / "groups.csv"),
        *(
            "--audio",
            out / "audio.json",
            "--versions",
            out / "versions.json",
            "--checksums",
            out / "SHA256SUMS",
            *options,
        ),
        **expected,
    )


def merge_tags(annotations, vocabulary, out, *options, synonyms="merge", **expected):
    return autotagging(
        "merge_tags",
        *("--annotations", annotations, "--vocabulary", vocabulary, "--n-tags", 50),
        *("--synonyms", synonyms),
        *("--labels", out / "labels.csv", "--other-labels", out / "other_labels.csv"),
        *("--tags", out / "tags.csv"),
        *("--raw-tags", out / "raw_tags.csv", "--tag-settings", out / "tag_settings.json"),
        *("--versions", out / "versions.json", "--checksums", out / "SHA256SUMS"),
        *options,
        **expected,
    )


def split(folder, counts, *, scheme="random", file="none", untagged="keep", code=0):
    return autotagging(
        "split",
        *("--labels", folder / "labels.csv", "--clips", folder / "clips.csv"),
        *("--groups", folder / "groups.csv", *counts),
        *("--scheme", scheme, "--file", file, "--untagged", untagged),
        *("--split", folder / "split.csv", "--leakage", folder / "leakage.csv"),
        *("--split-settings", folder / "split_settings.json"),
        *("--versions", folder / "versions.json", "--checksums", folder / "SHA256SUMS"),
        code=code,
    )


def extract_shard(folder, shard, shards, **expected):
    return autotagging(
        "extract_mel_shard",
        *("--download", folder, "--shard", shard, "--shards", shards, *FRONT_END),
        *("--tolerance", 1.0, "--longest", 60),
        *("--unfinished", folder / f"unfinished/shard-{shard:02}.npy"),
        *("--spectrograms", folder / f"shard-{shard:02}.npy"),
        *("--clips", folder / f"shard-{shard:02}.csv"),
        *("--versions", folder / f"shard-{shard:02}.json"),
        **expected,
    )


def extract_mel(folder, shards, max_bad, code=0):
    return autotagging(
        "extract_mel",
        "--shards",
        *(folder / f"shard-{shard:02}.csv" for shard in range(shards)),
        *(*FRONT_END, "--max-bad", max_bad, "--summary", folder / "summary.csv"),
        *(
            "--front-end",
            folder / "front_end.json",
            "--versions",
            folder / "versions.json",
            "--checksums",
            folder / "SHA256SUMS",
        ),
        code=code,
    )


def train_arguments(folder, name, options=()):
    settings = ["padded_frames=288", "input_norm=frequency", "batch_norm_momentum=0.9"]
    settings += ["padding_side=both", "padding_value=0.0"]
    settings += ["pool_dropout=0.1", "output_dropout=0.3"]
    settings += ["gru_reset_after=true", "gru_gates=sigmoid", *options]
    return [
        *("train", "--model", "crnn", "--seed", 0, *_training_flags(folder, folder / name)),
        *("--mel", folder / "summary.csv", "--front-end", folder / "front_end.json"),
        *("--options", *settings, "--threads", 2),
    ]


def _training_flags(folder, out):
    """Flags of a training of any model, with inputs in one folder and outputs in another."""
    return [
        *("--labels", folder / "labels.csv", "--tag-settings", folder / "tag_settings.json"),
        *("--split", folder / "split.csv", "--split-settings", folder / "split_settings.json"),
        *("--audio", folder / "audio.json"),
        *("--batch-size", 2, "--epochs", 2, "--learning-rate", 0.001, "--schedule", "constant"),
        *("--output-bias", "prior", "--keep-epochs", "all"),
        *("--monitor", "val_loss", "--patience", "none", "--checkpoint-minutes", 10),
        *("--devices", "auto", "--xla=false", "--precision", "float32", "--cache", 0.001),
        *("--unfinished", folder / "unfinished" / out.relative_to(folder)),
        *("--weights", out / "weights.npz", "--epoch-weights", out / "epochs.npz"),
        *("--model-json", out / "model.json"),
        *("--history", out / "history.csv", "--times", out / "times.csv"),
        *("--versions", out / "versions.json", "--checksums", out / "SHA256SUMS"),
    ]


def train(folder, name, *, options=(), code=0):
    return autotagging(*train_arguments(folder, name, options), code=code)


def evaluate(folder, name, *options, code=0):
    return autotagging(
        "evaluate",
        *("--model-json", folder / name / "model.json"),
        *("--labels", folder / "labels.csv", "--split", folder / "split.csv"),
        *("--mel", folder / "summary.csv"),
        *("--front-end", folder / "front_end.json"),
        *("--tags", folder / "tags.csv", "--groups", folder / "groups.csv"),
        *("--batch-size", 2, "--threads", 2, *evaluate_settings(folder / name)),
        *options,
        code=code,
    )


def train_lookup(folder):
    """Fit an audio-blind model to the tables in a folder."""
    autotagging(
        *("train", "--model", "lookup", "--seed", 0, *_training_flags(folder, folder)),
        *("--groups", folder / "groups.csv", "--options", "pseudo_count=1.0", "--threads", 1),
        without="tensorflow",
    )


def evaluate_lookup(folder, code=0):
    """Evaluate the model of `train_lookup`."""
    return autotagging(
        *("evaluate", "--batch-size", 1, "--tags", folder / "tags.csv"),
        *("--labels", folder / "labels.csv", "--split", folder / "split.csv"),
        *("--groups", folder / "groups.csv", "--threads", 1),
        *("--model-json", folder / "model.json"),
        *evaluate_settings(folder),
        without="tensorflow",
        code=code,
    )


def evaluate_settings(out):
    """Flags of a small evaluation, and its outputs."""
    return [
        *("--threshold", 0.5, "--precision-at", 1, 3, "--calibration-bins", 4),
        *("--resamples", 200, "--confidence", 0.95, "--bootstrap-seed", 0, "--pseudo-count", 1),
        *("--predictions", out / "predictions.npz", "--metrics", out / "metrics.json"),
        *("--per-tag", out / "per_tag.csv", "--per-category", out / "per_category.csv"),
        *("--per-epoch", out / "per_epoch.csv", "--roc", out / "roc.csv"),
        *("--calibration", out / "calibration.csv"),
        *("--versions", out / "evaluate_versions.json", "--checksums", out / "evaluate_SHA256SUMS"),
    ]
