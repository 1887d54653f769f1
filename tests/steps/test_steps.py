"""Each step as a command: flags in, files out; a user's errors are one line and exit code 2."""

import ast
import hashlib
import json
import resource
import shutil
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import yaml

from autotagging.common.errors import UserError
from autotagging.dataset.store import MelStore
from autotagging.mel.spectrogram import front_end
from autotagging.steps.extract_mel import extract_mel_shard
from conftest import ROOT, write_mp3, write_shards, write_table

PAPER_SPLIT = ["--train", "19773", "--validation", "1521", "--test", "4566", "--seed", "0"]
FRONT_END = ["--sample-rate", "12000", "--n-fft", "512", "--hop-length", "256", "--n-mels", "96"]
FRONT_END += ["--log-scale", "power_db", "--seconds", "29.12"]


def autotagging(*arguments, code=0, without="no module", most_bytes=resource.RLIM_INFINITY):
    """Run a subcommand in a process of its own; return its standard error."""
    command = f"""
import sys
from autotagging.cli import main
main()
assert {without!r} not in sys.modules, "{without} was loaded"
"""
    result = subprocess.run(
        [sys.executable, "-c", command, *map(str, arguments)],
        cwd=ROOT,
        text=True,
        capture_output=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes)),
    )
    assert result.returncode == code, result.stderr
    assert "Traceback" not in result.stderr
    return result.stderr


def download(corpus, out, *options, code=0):
    return autotagging(
        "download",
        *("--corpus", corpus, "--remote", "workflow/resources/magnatagatune.yaml"),
        *("--demo-clips", 20, "--demo-seed", 0, "--threads", 1),
        *("--annotations", out / "annotations_final.csv"),
        *("--clip-info", out / "clip_info_final.csv"),
        *("--clips", out / "clips.csv", "--audio", out / "audio.json", *options),
        code=code,
    )


def merge_tags(annotations, vocabulary, out, *, synonyms="merge", code=0):
    return autotagging(
        "merge_tags",
        *("--annotations", annotations, "--vocabulary", vocabulary, "--n-tags", 50),
        *("--synonyms", synonyms),
        *("--labels", out / "labels.csv", "--tags", out / "tags.csv"),
        *("--raw-tags", out / "raw_tags.csv"),
        code=code,
    )


def split(folder, counts, *, scheme="random", file="none", untagged="keep", code=0):
    return autotagging(
        "split",
        *("--labels", folder / "labels.csv", "--clips", folder / "clips.csv"),
        *("--clip-info", folder / "clip_info_final.csv", *counts),
        *("--scheme", scheme, "--file", file, "--untagged", untagged),
        *("--split", folder / "split.csv", "--leakage", folder / "leakage.csv"),
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
        **expected,
    )


def extract_mel(folder, shards, max_bad, code=0):
    return autotagging(
        "extract_mel",
        "--shards",
        *(folder / f"shard-{shard:02}.csv" for shard in range(shards)),
        *(*FRONT_END, "--max-bad", max_bad, "--summary", folder / "summary.csv"),
        *("--front-end", folder / "front_end.json"),
        code=code,
    )


@pytest.fixture
def vocabulary(tmp_path):
    path = tmp_path / "tags.yaml"
    content = {"synonyms": {"beat": ["beat", "beats"]}, "categories": {"instrument": ["flute"]}}
    path.write_text(yaml.safe_dump(content))
    return path


@pytest.fixture
def downloaded(small_corpus, tmp_path):
    out = tmp_path / "download"
    download(small_corpus, out)
    return out


def test_download_lists_clips_and_fingerprints_the_audio(small_corpus, tmp_path):
    out = tmp_path / "download"
    message = download(small_corpus, out)
    assert "5 clips, 1 of them missing, 1 empty" in message
    clips = pd.read_csv(out / "clips.csv")
    assert clips["clip_id"].tolist() == [2, 6, 10, 11, 15]
    assert clips["bytes"].isna().tolist() == [False] * 4 + [True]
    audio = json.loads((out / "audio.json").read_text())
    assert audio["corpus"] == str(small_corpus)
    assert len(audio["sha256"]) == 64


def test_download_says_what_a_folder_lacks(tmp_path):
    message = download(tmp_path, tmp_path / "out", code=2)
    assert message.startswith(f"autotagging: {tmp_path}: no annotations_final.csv")
    assert message.count("\n") == 1


def test_an_unknown_corpus_is_one_line(tmp_path):
    message = download("magnatune", tmp_path / "out", code=2)
    assert message == "autotagging: corpus magnatune: magnatune is not a folder\n"


def test_download_names_the_line_of_a_faulty_table_and_writes_nothing(small_corpus, tmp_path):
    path = small_corpus / "clip_info_final.csv"
    path.write_bytes(path.read_bytes().replace(b"1/clip-1", b"../clip-1"))
    message = download(small_corpus, tmp_path / "out", code=2)
    assert message.startswith(f"autotagging: {path}, line 3: mp3_path is '../clip-1-0-29.mp3'; ")
    assert message.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_download_offline_names_what_is_not_there(tmp_path, monkeypatch):
    monkeypatch.setenv("AUTOTAGGING_CORPORA", str(tmp_path))
    message = download("magnatagatune", tmp_path / "out", "--offline", code=2)
    assert message == (
        f"autotagging: {tmp_path}/magnatagatune: offline, and annotations_final.csv, "
        "clip_info_final.csv, mp3.zip.001, mp3.zip.002, mp3.zip.003 (or mp3.zip) missing; put "
        "them there, or run without --offline\n"
    )


def test_verify_says_ok_or_what_is_faulty(small_corpus):
    autotagging("verify", "--corpus", small_corpus, code=2)
    (small_corpus / "f").mkdir()
    (small_corpus / "0/clip-0-0-29.mp3").rename(small_corpus / "f/clip-f-0-29.mp3")
    message = autotagging("verify", "--corpus", small_corpus, code=2)
    assert message == (
        f"autotagging: {small_corpus}: 1 fault; put right what is named, or get it again\n"
    )
    (small_corpus / "0/clip-0-0-29.mp3").touch()
    assert autotagging("verify", "--corpus", small_corpus) == ""


def test_merge_tags(downloaded, vocabulary):
    message = merge_tags(downloaded / "annotations_final.csv", vocabulary, downloaded)
    assert "4 raw tags, 3 merged, 2 kept" in message
    assert "warning: 50 tags wanted, 2 have positives" in message
    labels = pd.read_csv(downloaded / "labels.csv")
    assert labels.columns.tolist() == ["clip_id", "mp3_path", "beat", "flute"]
    assert labels["beat"].tolist() == [1, 1, 0, 0, 1]
    tags = pd.read_csv(downloaded / "tags.csv")
    assert tags.to_dict("list") == {
        "tag": ["beat", "flute"],
        "category": ["other", "instrument"],
        "count": [3, 3],
        "merged_from": ["beat;beats", "flute"],
    }
    raw = pd.read_csv(downloaded / "raw_tags.csv").set_index("raw_tag")
    assert raw["count"].to_dict() == {"beat": 2, "beats": 1, "flute": 3, "harp": 0}
    assert raw.loc["beats", "merged_into"] == "beat"
    assert raw["kept"].tolist() == [1, 1, 1, 0]


def test_merge_tags_names_a_vocabulary_that_is_none(downloaded, vocabulary):
    vocabulary.write_text("synonyms: [beat, beats]\n")
    message = merge_tags(downloaded / "annotations_final.csv", vocabulary, downloaded, code=2)
    assert "tags.yaml: expected mappings of lists" in message


def test_split_leaves_out_what_can_not_be_read(downloaded, vocabulary):
    merge_tags(downloaded / "annotations_final.csv", vocabulary, downloaded)
    counts = ["--train", 1, "--validation", 1, "--test", 1, "--seed", 0]
    message = split(downloaded, counts)
    assert "left out, empty or missing: clip 11, b/clip-b-0-29.mp3" in message
    assert "left out, empty or missing: clip 15, f/clip-f-0-29.mp3" in message
    table = pd.read_csv(downloaded / "split.csv")
    assert table["clip_id"].tolist() == [2, 6, 10]
    assert sorted(table["subset"]) == ["test", "train", "validation"]
    assert pd.read_csv(downloaded / "leakage.csv")["level"].tolist() == ["track", "album", "artist"]


@pytest.mark.parametrize(
    ("members", "message"),
    [
        (["beat", "beets"], "line 4: synonym group 'beat': the corpus has no tag 'beets'"),
        (["beat", "flute"], "line 6: tag 'flute' is in two groups: 'beat' and 'wind'"),
    ],
)
def test_a_wrong_synonym_is_named_with_its_line(downloaded, vocabulary, members, message):
    listed = "".join(f"    - {member}\n" for member in members)
    vocabulary.write_text(f"synonyms:\n  beat:\n{listed}  wind:\n    - flute\ncategories: {{}}\n")
    printed = merge_tags(downloaded / "annotations_final.csv", vocabulary, downloaded, code=2)
    assert f"tags.yaml, {message}" in printed


def test_a_model_that_reads_tables_loads_no_tensorflow(downloaded, vocabulary):
    merge_tags(downloaded / "annotations_final.csv", vocabulary, downloaded)
    split(downloaded, ["--train", 1, "--validation", 1, "--test", 1, "--seed", 0])
    shared = ["--labels", downloaded / "labels.csv", "--split", downloaded / "split.csv"]
    shared += ["--clip-info", downloaded / "clip_info_final.csv", "--threads", 1]
    shared += ["--model-json", downloaded / "model.json"]
    autotagging(
        *("train", "--model", "lookup", "--seed", 0, "--corpus", "x", "--scheme", "random"),
        *("--synonyms", "merge", "--batch-size", 1, "--epochs", 1, "--learning-rate", 0.1),
        *("--schedule", "constant", "--output-bias", "prior"),
        *("--monitor", "val_loss", "--patience", "none"),
        *("--keep-epochs", "all", "--epoch-weights", downloaded / "epochs.npz"),
        *("--devices", "auto", "--xla=false", "--precision", "float32", "--cache", 0.001),
        *("--checkpoint-minutes", 10, "--unfinished", downloaded / "unfinished"),
        *("--options", "pseudo_count=1.0", "--history", downloaded / "history.csv"),
        *("--times", downloaded / "times.csv", "--weights", downloaded / "weights.npz", *shared),
        *("--audio", downloaded / "audio.json"),
        without="tensorflow",
    )
    autotagging(
        *("evaluate", "--batch-size", 1, *shared, "--tags", downloaded / "tags.csv"),
        *evaluate_settings(downloaded),
        without="tensorflow",
    )
    metrics = json.loads((downloaded / "metrics.json").read_text())
    assert metrics["model"] == "lookup"
    assert metrics["n_clips"] == 1


def test_synonyms_can_be_kept(downloaded, vocabulary):
    annotations = downloaded / "annotations_final.csv"
    message = merge_tags(annotations, vocabulary, downloaded, synonyms="keep")
    assert "4 raw tags, 4 merged, 3 kept" in message
    columns = pd.read_csv(downloaded / "labels.csv", nrows=0).columns
    assert columns[2:].tolist() == ["flute", "beat", "beats"]


def test_clips_without_a_tag_can_be_dropped(downloaded, vocabulary):
    merge_tags(downloaded / "annotations_final.csv", vocabulary, downloaded)
    labels = pd.read_csv(downloaded / "labels.csv")
    labels.loc[labels["clip_id"] == 6, ["beat", "flute"]] = 0
    labels.to_csv(downloaded / "labels.csv", index=False)
    counts = ["--train", 1, "--validation", 1, "--test", 1, "--seed", 0]
    message = split(downloaded, counts, untagged="drop", code=2)
    # 10 has flute, 2 has beat: two are left.
    assert "left out, without any tag: 1 clips" in message
    assert "2 clips, too few" in message


def test_a_split_can_be_given_as_a_file(downloaded, vocabulary, tmp_path):
    merge_tags(downloaded / "annotations_final.csv", vocabulary, downloaded)
    given = tmp_path / "given.csv"
    given.write_text("clip_id,subset\n10,train\n2,test\n6,validation\n11,test\n")
    message = split(downloaded, PAPER_SPLIT, scheme="file", file=given)
    assert "1 clips are not usable here" in message
    table = pd.read_csv(downloaded / "split.csv").set_index("clip_id")
    assert table["subset"].to_dict() == {10: "train", 2: "test", 6: "validation"}
    given.write_text("clip_id,subset\n10,train\n2,tests\n")
    message = split(downloaded, PAPER_SPLIT, scheme="file", file=given, code=2)
    assert "given.csv, line 3: subset is 'tests'" in message


def test_tracks_can_be_kept_together(downloaded, vocabulary):
    merge_tags(downloaded / "annotations_final.csv", vocabulary, downloaded)
    message = split(downloaded, PAPER_SPLIT, scheme="track", code=2)
    # Clips 2 and 6 are one track, 10 another: no third subset.
    assert "3 clips, too few to split by track" in message


def test_too_few_clips_can_not_be_split(downloaded, vocabulary):
    merge_tags(downloaded / "annotations_final.csv", vocabulary, downloaded)
    message = split(downloaded, PAPER_SPLIT, code=2)
    assert "3 clips, too few to split by random" in message
    assert not (downloaded / "split.csv").exists()


def test_extract_mel_gives_every_clip_a_status(small_corpus, tmp_path):
    noise = 0.1 * np.random.default_rng(0).standard_normal(40 * 16_000)
    write_mp3(small_corpus / "1/clip-1-0-29.mp3", noise[: 14 * 16_000])
    write_mp3(small_corpus / "a/clip-a-0-29.mp3", noise)
    downloaded = tmp_path / "download"
    download(small_corpus, downloaded)
    messages = [extract_shard(downloaded, shard, 2) for shard in range(2)]
    assert "the spectrograms of 5 clips take 0.00 GB of disk" in messages[0]
    assert "clip 6, 1/clip-1-0-29.mp3: too_short" in messages[0]
    tables = [pd.read_csv(downloaded / f"shard-{shard:02}.csv") for shard in range(2)]
    status = pd.concat(tables).set_index("clip_id")["status"].to_dict()
    assert status == {2: "ok", 6: "too_short", 10: "cropped", 11: "empty", 15: "missing"}
    arrays = [np.load(downloaded / f"shard-{shard:02}.npy") for shard in range(2)]
    assert [array.shape for array in arrays] == [(3, 96, 1366), (2, 96, 1366)]
    assert arrays[0].dtype == np.float16
    message = extract_mel(downloaded, 2, 0.6)
    assert "{'ok': 1, 'cropped': 1, 'missing': 1, 'empty': 1, 'too_short': 1}" in message
    summary = pd.read_csv(downloaded / "summary.csv")
    assert summary["shard"].tolist() == ["shard-00", "shard-01"]
    assert summary[["clips", "ok", "cropped", "too_short", "silent"]].to_numpy().tolist() == [
        [3, 1, 1, 1, 0],
        [2, 0, 0, 0, 0],
    ]
    assert MelStore(downloaded / "summary.csv").clip_ids.tolist() == [2, 10]
    settings = json.loads((downloaded / "front_end.json").read_text())
    assert settings["frames"] == 1366
    assert settings["resampling"] == "soxr_hq"


def test_a_disk_that_is_too_small_is_refused_before_anything_is_written(
    downloaded, monkeypatch, tmp_path
):
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=1_000_000))
    with pytest.raises(UserError, match=r"0\.00 GB are to be written, but only 0\.00 GB are free"):
        extract_mel_shard(
            download=downloaded,
            shard=0,
            shards=1,
            sample_rate=12_000,
            n_fft=512,
            hop_length=256,
            n_mels=96,
            log_scale="power_db",
            seconds=29.12,
            tolerance=1.0,
            longest=60.0,
            unfinished=tmp_path / "unfinished/shard-00.npy",
            spectrograms=tmp_path / "mel/shard-00.npy",
            clips=tmp_path / "mel/shard-00.csv",
        )
    assert not list((tmp_path / "unfinished").iterdir())


def test_a_disk_that_becomes_full_is_one_line_and_what_was_done_is_kept(downloaded):
    """A limit on the size of files stands in for the disk; it holds two of five spectrograms."""
    extract_shard(downloaded, 0, 1)
    whole = [(downloaded / f"shard-00.{kind}").read_bytes() for kind in ("npy", "csv")]
    for kind in ("npy", "csv"):
        (downloaded / f"shard-00.{kind}").unlink()
    message = extract_shard(downloaded, 0, 1, code=2, most_bytes=600_000)
    assert message.splitlines()[-1] == (
        f"autotagging: {downloaded}/unfinished/shard-00.npy: File too large; the 2 of 5 clips that "
        "are done are kept: put that right and run the same again"
    )
    assert not list(downloaded.glob("shard-*"))
    assert "going on after 2 of 5 clips" in extract_shard(downloaded, 0, 1)
    assert whole == [(downloaded / f"shard-00.{kind}").read_bytes() for kind in ("npy", "csv")]
    assert not list((downloaded / "unfinished").iterdir())


def test_audio_that_is_not_what_was_listed_is_refused(small_corpus, downloaded):
    write_mp3(small_corpus / "1/clip-1-0-29.mp3", np.zeros(14 * 16_000))
    message = extract_shard(downloaded, 0, 1, code=2)
    assert "1/clip-1-0-29.mp3 is not as it was at the download" in message
    assert not (downloaded / "shard-00.npy").exists()


def test_too_many_bad_clips_stop_extract_mel(downloaded):
    extract_shard(downloaded, 0, 1)
    message = extract_mel(downloaded, 1, 0.01, code=2)
    assert "2 of 5 clips are bad, more than max_bad = 0.01: 11 empty, 15 missing" in message
    assert not (downloaded / "summary.csv").exists()


def test_the_real_clip_goes_through_extract_mel(magnatagatune, tmp_path):
    (clip,) = (path.relative_to(magnatagatune / "mp3") for path in magnatagatune.glob("mp3/*/*"))
    pd.DataFrame({"clip_id": [37386], "mp3_path": [clip.as_posix()], "bytes": [117_213]}).to_csv(
        tmp_path / "clips.csv", index=False
    )
    (tmp_path / "audio.json").write_text(json.dumps({"corpus": str(magnatagatune)}))
    extract_shard(tmp_path, 0, 1)
    table = pd.read_csv(tmp_path / "shard-00.csv")
    assert table["status"].tolist() == ["ok"]
    assert table["seconds"].iloc[0] == pytest.approx(29.124)


def test_the_official_tables_give_the_papers_split(magnatagatune, tmp_path):
    """The tables and the three empty clips are all that the split needs: no audio."""
    from autotagging.corpus.tables import read_annotations

    clips = read_annotations(magnatagatune / "annotations_final.csv.gz")[["clip_id", "mp3_path"]]
    clips["bytes"] = 117_213
    clips.loc[clips["clip_id"].isin([35644, 55753, 57881]), "bytes"] = 0
    clips.to_csv(tmp_path / "clips.csv", index=False)
    merge_tags(magnatagatune / "annotations_final.csv.gz", "workflow/resources/tags.yaml", tmp_path)
    (tmp_path / "clip_info_final.csv.gz").symlink_to(magnatagatune / "clip_info_final.csv.gz")
    message = autotagging(
        "split",
        *("--labels", tmp_path / "labels.csv", "--clips", tmp_path / "clips.csv"),
        *("--clip-info", tmp_path / "clip_info_final.csv.gz", *PAPER_SPLIT),
        *("--scheme", "random", "--file", "none", "--untagged", "keep"),
        *("--split", tmp_path / "split.csv", "--leakage", tmp_path / "leakage.csv"),
    )
    assert "{'train': 19773, 'validation': 1521, 'test': 4566}, as asked" in message
    table = pd.read_csv(tmp_path / "split.csv")
    assert table["subset"].value_counts().to_dict() == {
        "train": 19773,
        "test": 4566,
        "validation": 1521,
    }
    leakage = pd.read_csv(tmp_path / "leakage.csv").set_index("level")["share"]
    assert leakage["track"] > 0.9


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with six clips of noise, their labels and split, and a model trained on them."""
    folder = tmp_path_factory.mktemp("trained")
    rng = np.random.default_rng(0)
    mel = rng.normal(-30, 10, (6, 96, 1366)).astype(np.float16)
    write_shards(folder, dict(enumerate(mel)))
    settings = {"sample_rate": 12_000, "n_fft": 512, "hop_length": 256, "n_mels": 96}
    settings |= {"seconds": 29.12, "log_scale": "power_db"}
    (folder / "front_end.json").write_text(json.dumps(front_end(**settings)))
    (folder / "audio.json").write_text(json.dumps({"corpus": "noise", "sha256": "f" * 64}))
    labels = {"clip_id": range(6), "mp3_path": "x", "a": [0, 1] * 3, "b": [1, 1, 0] * 2}
    pd.DataFrame(labels).to_csv(folder / "labels.csv", index=False)
    tags = {"tag": ["a", "b"], "category": ["mood", "genre"]}
    pd.DataFrame(tags).to_csv(folder / "tags.csv", index=False)
    info = {
        "clip_id": range(6),
        "track_number": "1",
        "artist": "x",
        "album": "y",
        "url": [*"uvwxyz"],
    }
    write_table(folder / "clip_info_final.csv", pd.DataFrame(info))
    subsets = ["train", "train", "validation", "validation", "test", "test"]
    pd.DataFrame({"clip_id": range(6), "mp3_path": "x", "subset": subsets}).to_csv(
        folder / "split.csv", index=False
    )
    return folder, train(folder, "one")


def train_arguments(folder, name, options=()):
    settings = ["padded_frames=1440", "input_norm=frequency", "batch_norm_momentum=0.9"]
    settings += ["padding_side=both", "padding_value=0.0"]
    settings += ["pool_dropout=0.1", "output_dropout=0.3", "gru_reset_after=true", *options]
    out = folder / name
    return [
        *("train", "--model", "crnn", "--seed", 0, "--corpus", "noise", "--scheme", "random"),
        *("--synonyms", "merge", "--labels", folder / "labels.csv"),
        *("--split", folder / "split.csv", "--mel", folder / "summary.csv"),
        *("--audio", folder / "audio.json", "--front-end", folder / "front_end.json"),
        *("--batch-size", 2, "--epochs", 2, "--learning-rate", 0.001, "--schedule", "constant"),
        *("--output-bias", "prior", "--keep-epochs", "all"),
        *("--monitor", "val_loss", "--patience", "none", "--options", *settings, "--threads", 2),
        *("--devices", "auto", "--xla=false", "--precision", "float32", "--cache", 0.001),
        *("--checkpoint-minutes", 10, "--unfinished", folder / "unfinished"),
        *("--weights", out / "weights.npz", "--epoch-weights", out / "epochs.npz"),
        *("--model-json", out / "model.json"),
        *("--history", out / "history.csv", "--times", out / "times.csv"),
    ]


def train(folder, name, *, options=(), code=0):
    return autotagging(*train_arguments(folder, name, options), code=code)


def evaluate(folder, name, code=0):
    return autotagging(
        "evaluate",
        *("--model-json", folder / name / "model.json"),
        *("--labels", folder / "labels.csv", "--split", folder / "split.csv"),
        *("--mel", folder / "summary.csv"),
        *("--front-end", folder / "front_end.json"),
        *("--tags", folder / "tags.csv", "--clip-info", folder / "clip_info_final.csv"),
        *("--batch-size", 2, "--threads", 2, *evaluate_settings(folder / name)),
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
    ]


def test_train_says_how_long_it_takes_and_describes_the_model(trained):
    folder, message = trained
    assert "2 clips, 393,794 parameters, " in message
    assert "2 epochs take about" in message
    model = json.loads((folder / "one/model.json").read_text())
    assert model["tags"] == ["a", "b"]
    assert model["split"] == "random 2/2/2"
    assert model["options"]["input_norm"] == "frequency"
    assert model["front_end"]["sample_rate"] == 12_000
    assert model["trained_on"] == {
        "audio_sha256": "f" * 64,
        "labels_sha256": hashlib.sha256((folder / "labels.csv").read_bytes()).hexdigest(),
        "split_sha256": hashlib.sha256((folder / "split.csv").read_bytes()).hexdigest(),
    }
    assert model["versions"]["numpy"] == np.__version__
    assert [*model["versions"]] == ["python", "tensorflow", "keras", "numpy", "librosa", "soxr"]
    assert pd.read_csv(folder / "one/history.csv").columns.tolist() == [
        "epoch",
        "loss",
        "val_loss",
        "auc",
        "val_auc",
    ]
    assert pd.read_csv(folder / "one/times.csv")["seconds"].gt(0).all()


def test_spectrograms_of_another_front_end_are_refused(trained):
    folder, _ = trained
    settings = folder / "front_end.json"
    before = settings.read_text()
    settings.write_text(json.dumps({**json.loads(before), "log_scale": "log1p"}))
    message = evaluate(folder, "one", code=2)
    settings.write_text(before)
    assert f"{settings}: log_scale is log1p, but {folder}/one/model.json was trained on" in message


def test_a_training_that_is_killed_goes_on_and_ends_with_the_same_bytes(trained):
    folder, _ = trained
    command = "from autotagging.cli import main; main()"
    arguments = [sys.executable, "-c", command, *map(str, train_arguments(folder, "killed"))]
    with subprocess.Popen(arguments, cwd=ROOT, text=True, stderr=subprocess.PIPE) as process:
        assert any(line.startswith("epoch 1/2") for line in process.stderr)
        process.kill()
    assert not (folder / "killed").exists()
    assert "going on in epoch 2, after step 0" in train(folder, "killed")
    for name in ("weights.npz", "epochs.npz", "model.json", "history.csv"):
        assert (folder / "one" / name).read_bytes() == (folder / "killed" / name).read_bytes()
    assert not list((folder / "unfinished").iterdir())


def test_two_trainings_are_the_same_bytes_whatever_the_test_labels_are(trained, tmp_path):
    """The other has every test label turned round; only the labels' fingerprint may differ."""
    folder, _ = trained
    labels, split = (pd.read_csv(folder / name) for name in ("labels.csv", "split.csv"))
    test = split["subset"] == "test"
    labels.loc[test, ["a", "b"]] = 1 - labels.loc[test, ["a", "b"]]
    other = shutil.copytree(folder, tmp_path / "other")
    labels.to_csv(other / "labels.csv", index=False)
    train(other, "turned")
    for name in ("weights.npz", "epochs.npz", "history.csv"):
        assert (other / "turned" / name).read_bytes() == (folder / "one" / name).read_bytes()
    before, after = (
        json.loads((path / "model.json").read_text()) for path in (folder / "one", other / "turned")
    )
    assert before["trained_on"].pop("labels_sha256") != after["trained_on"].pop("labels_sha256")
    assert before == after


def test_only_evaluate_asks_for_test_labels():
    asking = {
        path.stem
        for path in (ROOT / "src/autotagging").rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "labelled_clips"
        if not {"train", "validation"}.issuperset(subsets_of(call))
    }
    assert asking == {"evaluate"}


def subsets_of(call):
    """Subsets that a call of labelled_clips names; "?" where they are not written out."""
    (subsets,) = (flag.value for flag in call.keywords if flag.arg == "subsets")
    names = getattr(subsets, "elts", [None])
    return {getattr(name, "value", "?") for name in names}


def test_evaluate_scores_the_test_clips(trained):
    folder, _ = trained
    message = evaluate(folder, "one")
    assert "crnn, seed 0: test macro ROC-AUC" in message
    assert "over 2 of 2 tags, 2 clips" in message
    metrics = json.loads((folder / "one/metrics.json").read_text())
    # Clips 4 and 5 have tags {b} and {a}: a: 0, 1; b: 1, 0.
    assert metrics["n_clips"] == 2
    assert metrics["baselines"]["all_zero"]["accuracy"] == 0.5
    # In training a is 0.5 and b is 1.
    assert metrics["baselines"]["prior"]["accuracy"] == 0.5
    with np.load(folder / "one/predictions.npz") as arrays:
        assert arrays["clip_id"].tolist() == [4, 5]
        assert arrays["labels"].tolist() == [[0, 1], [1, 0]]
        assert arrays["scores"].shape == (2, 2)
        assert arrays["track"].tolist() == [4, 5]
        assert arrays["validation_clip_id"].tolist() == [2, 3]
        assert arrays["thresholds"].shape == (2,)
    model = json.loads((folder / "one/model.json").read_text())
    epochs = pd.read_csv(folder / "one/per_epoch.csv").set_index("epoch")
    assert epochs.index.tolist() == model["kept_epochs"] == [1, 2]
    assert epochs.index[epochs["best"] == 1].tolist() == [model["best_epoch"]]
    assert epochs.loc[model["best_epoch"], "loss"] == metrics["loss"]
    assert epochs["last"].tolist() == [0, 1]
    assert epochs["loss"].nunique() == 2
    assert metrics["epoch_choices"]["last"]["loss"] == epochs.loc[2, "loss"]
    categories = pd.read_csv(folder / "one/per_category.csv")
    assert categories["category"].tolist() == ["genre", "mood"]
    assert pd.read_csv(folder / "one/calibration.csv")["decisions"].sum() == 4


def test_weights_that_are_not_the_models_are_refused(trained, tmp_path):
    folder, _ = trained
    copy = folder / "copy"
    copy.mkdir(exist_ok=True)
    for name in ("weights.npz", "model.json"):
        (copy / name).write_bytes((folder / "one" / name).read_bytes())
    content = bytearray((copy / "weights.npz").read_bytes())
    content[1000] ^= 1
    (copy / "weights.npz").write_bytes(content)
    assert "not the weights of" in evaluate(folder, "copy", code=2)


def test_an_audio_json_without_a_fingerprint_stops_before_training(trained):
    folder, _ = trained
    before = (folder / "audio.json").read_text()
    (folder / "audio.json").write_text("{}")
    message = train(folder, "never", code=2)
    (folder / "audio.json").write_text(before)
    assert message == f"autotagging: {folder}/audio.json: no sha256 of the audio; " + (
        "run download again\n"
    )


@pytest.fixture(scope="module")
def exported(trained):
    """The folder of `autotagging export`, and what it printed."""
    folder, _ = trained
    out = folder / "exported"
    return out, autotagging("export", "--model-json", folder / "one/model.json", "--out", out)


SCORE_WITH_KERAS = """
import sys
from importlib.abc import MetaPathFinder

class Blocker(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        assert not name.startswith("autotagging"), "the package was asked for"

sys.meta_path.insert(0, Blocker())
import keras
import numpy as np

mel = np.load(sys.argv[2])[4:].astype(np.float32)
model = keras.saving.load_model(sys.argv[1], safe_mode=True)
np.save(sys.argv[3], model.predict(mel, verbose=0))
"""


def test_the_keras_file_scores_the_same_where_this_package_can_not_be_imported(
    trained, exported, tmp_path
):
    folder, _ = trained
    evaluate(folder, "one")
    files = [exported[0] / "model.keras", folder / "shard-00.npy", tmp_path / "scores.npy"]
    subprocess.run([sys.executable, "-I", "-c", SCORE_WITH_KERAS, *map(str, files)], check=True)
    with np.load(folder / "one/predictions.npz") as arrays:
        np.testing.assert_allclose(np.load(files[-1]), arrays["scores"], atol=1e-5)


def test_the_onnx_file_scores_the_same_and_names_its_tags(trained, exported):
    reason = "the extra `export` is not installed"
    pytest.importorskip("tf2onnx", reason=reason)
    onnxruntime = pytest.importorskip("onnxruntime", reason=reason)
    folder, _ = trained
    evaluate(folder, "one")
    session = onnxruntime.InferenceSession(exported[0] / "model.onnx")
    mel = np.load(folder / "shard-00.npy")[4:].astype(np.float32)
    (scores,) = session.run(["tags"], {"log_mel": mel})
    with np.load(folder / "one/predictions.npz") as arrays:
        np.testing.assert_allclose(scores, arrays["scores"], atol=1e-5)
    assert json.loads(session.get_modelmeta().custom_metadata_map["tags"]) == ["a", "b"]


def test_an_export_says_what_goes_in_and_what_comes_out(exported):
    out, message = exported
    assert message.endswith("tags.txt, README.md\n")
    assert not [path for path in out.iterdir() if path.name.startswith(".partial")]
    assert (out / "tags.txt").read_text() == "a\nb\n"
    page = (out / "README.md").read_text()
    assert "`log_mel`, float32, (batch, 96, 1366)" in page
    assert "dB: 10 log10 of the mel power" in page
    assert "- sample_rate: 12000\n" in page
    assert "- audio_sha256: ffff" in page


def test_an_option_the_model_lacks_is_one_line(trained):
    folder, _ = trained
    message = train(folder, "never", options=["depth=5"], code=2)
    assert "unexpected keyword argument 'depth'" in message
    assert not (folder / "never").exists()


def test_a_missing_flag_and_an_unknown_command_are_one_line():
    assert autotagging("split", code=2).count("\n") == 1
    assert "Unknown command" in autotagging("spilt", code=2)
