"""Step extract_mel as two commands: a shard, and gathering the shards."""

import json
import zipfile
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from autotagging.common.errors import UserError
from autotagging.common.fingerprint import modules
from autotagging.corpus.containers import _JoinedParts
from autotagging.dataset.store import MelStore
from autotagging.mel.front_end import FrontEnd, Limits, MelSettings
from autotagging.steps import extract_mel_shard as step
from autotagging.steps.extract_mel_shard import CODE, extract_mel_shard
from commands import (
    download,
    extract_mel,
    extract_shard,
)
from conftest import ROOT, write_mp3
from source import modules_of_stage

SETTINGS, LIMITS = MelSettings(12_000, 512, 256, 96, "power_db", 29.12), Limits(1.0, 60.0)


def extract_in_this_process(downloaded, folder, *, shard, shards):
    extract_mel_shard(
        download=downloaded,
        shard=shard,
        shards=shards,
        settings=SETTINGS,
        limits=LIMITS,
        unfinished=folder / f"unfinished/shard-{shard:02}.npy",
        spectrograms=folder / f"mel/shard-{shard:02}.npy",
        clips=folder / f"mel/shard-{shard:02}.csv",
        versions=folder / f"mel/shard-{shard:02}.json",
    )


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


def test_a_shard_reads_only_its_own_part_of_the_archive(small_corpus, tmp_path, monkeypatch):
    """Its clips, the list of all clips, and no more than one block of 128 KiB besides."""
    with zipfile.ZipFile(small_corpus / "mp3.zip", "w") as archive:
        for clip in sorted(small_corpus.glob("[0-9a-f]/*.mp3")):
            archive.write(clip, clip.relative_to(small_corpus))
            clip.unlink()
    downloaded = tmp_path / "download"
    download(small_corpus, downloaded)
    read = []

    def counted(self, buffer, readinto=_JoinedParts.readinto):
        read.append(readinto(self, buffer))
        return read[-1]

    monkeypatch.setattr(_JoinedParts, "readinto", counted)
    extract_in_this_process(downloaded, tmp_path, shard=1, shards=5)
    clip = pd.read_csv(downloaded / "clips.csv").set_index("clip_id").loc[6, "bytes"]
    assert clip <= sum(read) < clip + 2**17 < (small_corpus / "mp3.zip").stat().st_size


def test_a_disk_that_is_too_small_is_refused_before_anything_is_written(
    downloaded, monkeypatch, tmp_path
):
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=1_000_000))
    with pytest.raises(UserError, match=r"0\.00 GB are not yet written, but only 0\.00 GB are"):
        extract_in_this_process(downloaded, tmp_path, shard=0, shards=1)
    assert not list((tmp_path / "unfinished").iterdir())


def test_a_disk_that_becomes_full_is_one_line_and_what_was_done_is_kept(downloaded):
    """A limit on the size of files stands in for the disk; it holds two of five spectrograms."""
    extract_shard(downloaded, 0, 1)
    whole = [(downloaded / f"shard-00.{kind}").read_bytes() for kind in ("npy", "csv")]
    for kind in ("npy", "csv", "json"):
        (downloaded / f"shard-00.{kind}").unlink()
    message = extract_shard(downloaded, 0, 1, code=2, most_bytes=600_000)
    assert message.splitlines()[-1] == (
        f"autotagging: {downloaded}/unfinished/shard-00.npy: File too large; the 2 of 5 clips that "
        "are done are kept; solve the problem and run the same command again"
    )
    assert not list(downloaded.glob("shard-*"))
    assert "resuming after 2 of 5 clips" in extract_shard(downloaded, 0, 1)
    assert whole == [(downloaded / f"shard-00.{kind}").read_bytes() for kind in ("npy", "csv")]
    assert not list((downloaded / "unfinished").iterdir())


def test_an_unfinished_shard_is_of_the_code_that_the_stage_lists():
    """Gathering the shards, in the same stage, changes none."""
    gathering = ROOT / "src/autotagging/steps/extract_mel.py"
    assert modules_of_stage("extract_mel") - {gathering} == {*modules(*CODE)}


@pytest.mark.parametrize("change", ["clips", "audio", "settings", "limits", "code", "libraries"])
def test_an_unfinished_shard_of_anything_else_is_not_used(tmp_path, monkeypatch, change):
    block, audio, code = pd.DataFrame({"clip_id": [2, 6]}), tmp_path / "audio", tmp_path / "code"
    front_end, libraries = FrontEnd(SETTINGS, LIMITS), {"numpy": "1"}
    for path in (audio, code):
        path.write_text("before")
    monkeypatch.setattr(step, "modules", lambda *patterns: [code])
    monkeypatch.setattr(step, "versions_of", lambda *names: libraries)
    before = step._fingerprint(block, front_end, audio)
    assert step._fingerprint(block.copy(), front_end, audio) == before
    if change == "clips":
        block = block.iloc[:1]
    elif change in ("audio", "code"):
        (tmp_path / change).write_text("after")
    elif change == "settings":
        front_end = FrontEnd(replace(SETTINGS, n_mels=48), LIMITS)
    elif change == "limits":
        front_end = FrontEnd(SETTINGS, replace(LIMITS, longest=30.0))
    else:
        libraries["numpy"] = "2"
    assert step._fingerprint(block, front_end, audio) != before


def test_audio_that_is_not_what_was_listed_is_refused(small_corpus, downloaded):
    write_mp3(small_corpus / "1/clip-1-0-29.mp3", np.zeros(14 * 16_000))
    message = extract_shard(downloaded, 0, 1, code=2)
    assert "1/clip-1-0-29.mp3 has changed since the download" in message
    assert not (downloaded / "shard-00.npy").exists()


def test_too_many_bad_clips_stop_extract_mel(downloaded):
    extract_shard(downloaded, 0, 1)
    message = extract_mel(downloaded, 1, 0.01, code=2)
    assert message.splitlines()[-1] == (
        "autotagging: 2 of 5 clips are bad, more than max_bad = 0.01: clip 11 (empty), clip 15 "
        f"(missing); {downloaded}/shard-*.csv have the status of each clip; repair the bad ones, "
        "or raise extract_mel.max_bad"
    )
    assert not (downloaded / "summary.csv").exists()


def test_the_real_clip_goes_through_extract_mel(magnatagatune, tmp_path):
    (clip,) = (path.relative_to(magnatagatune / "mp3") for path in magnatagatune.glob("mp3/*/*"))
    row = {"clip_id": 37386, "mp3_path": clip.as_posix(), "bytes": 117_213, "crc32": 0x492B9431}
    pd.DataFrame([row]).to_csv(tmp_path / "clips.csv", index=False)
    (tmp_path / "audio.json").write_text(json.dumps({"corpus": str(magnatagatune)}))
    extract_shard(tmp_path, 0, 1)
    table = pd.read_csv(tmp_path / "shard-00.csv")
    assert table["status"].tolist() == ["ok"]
    assert table["seconds"].iloc[0] == pytest.approx(29.124)
