"""Damaged and odd files: each gets the status that names its fault."""

import io
import os
import signal
import time
import zipfile
from multiprocessing import get_context

import numpy as np
import pandas as pd
import pytest
import soundfile

from autotagging.common.errors import UserError
from autotagging.common.files import write_json
from autotagging.corpus.audio import open_corpus
from autotagging.dataset.store import USABLE, MelStore
from autotagging.mel.front_end import STATUSES, FrontEnd, Limits, MelSettings
from autotagging.mel.shards import UnfinishedShard
from autotagging.mel.spectrogram import log_mel
from autotagging.steps.extract_mel import extract_mel
from autotagging.steps.extract_mel_shard import extract_mel_shard
from conftest import ROOT, write_mp3

RATE = 16_000
SETTINGS = MelSettings(
    sample_rate=12_000, n_fft=512, hop_length=256, n_mels=96, log_scale="power_db", seconds=29.12
)
LIMITS = Limits(tolerance=1.0, longest=60.0)


def noise(seconds, rate=RATE):
    return 0.1 * np.random.default_rng(0).standard_normal(round(seconds * rate), np.float32)


def encoded(waveform, rate=RATE, **form):
    file = io.BytesIO()
    soundfile.write(file, waveform, rate, **form)
    return file.getvalue()


def replaced(content, start, new):
    """Content with other bytes from `start` on."""
    return content[:start] + new + content[start + len(new) :]


def files(mp3):
    """Content of each odd file, and what is to become of it; `mp3` is a good clip's."""
    size, middle = len(mp3), len(mp3) // 2
    garbage = np.random.default_rng(0).bytes(size)
    clip = noise(29.124)
    with_nan = clip.copy()
    with_nan[1000] = np.nan
    stereo = np.stack([noise(29.124, 44_100), -noise(29.124, 44_100) / 2], axis=1)
    variable = encoded(clip, format="MP3", bitrate_mode="VARIABLE")
    quieter = clip * np.where(np.arange(len(clip)) < len(clip) // 2, 3, 0.001)
    variable_without_header = encoded(quieter, format="MP3", bitrate_mode="VARIABLE")
    second_frame = variable_without_header.index(variable_without_header[:2], 4)
    variable_without_header = variable_without_header[second_frame:]
    flac = encoded(clip, format="FLAC")
    unknown_length = replaced(flac, 21, bytes([flac[21] & 0xF0, 0, 0, 0, 0]))
    wav = encoded(clip, format="WAV")
    data_size = wav.index(b"data") + 4
    id3 = b"ID3\x04\0\0\0\0\x0f\x76" + bytes(2038)
    return {
        "whole": (mp3, "ok"),
        "half": (mp3[:middle], "too_short"),
        "tenth": (mp3[: size // 10], "too_short"),
        "200-bytes": (mp3[:200], "too_short"),
        "50-bytes": (mp3[:50], "undecodable"),
        "no-bytes": (b"", "empty"),
        "zeros": (bytes(size), "not_audio"),
        "random": (garbage, "not_audio"),
        "html": (b"<!DOCTYPE html><title>404 Not Found</title>" * 50, "not_audio"),
        "garbage-in-the-middle": (replaced(mp3, middle, garbage[:20_000]), "undecodable"),
        "a-little-garbage": (replaced(mp3, middle, garbage[:400]), "padded"),
        "half-with-a-header-of-the-whole": (variable[: len(variable) // 2], "wrong_length"),
        "wav": (encoded(clip, format="WAV"), "ok"),
        "ogg": (encoded(clip, format="OGG"), "ok"),
        "flac": (encoded(clip, format="FLAC"), "ok"),
        "half-a-flac": (encoded(clip, format="FLAC")[:300_000], "undecodable"),
        "line-ends-converted": (mp3.replace(b"\n", b"\r\n"), "damaged_frames"),
        "line-ends-converted-otherwise": (mp3.replace(b"\r\n", b"\n"), "ok"),
        "zeros-at-the-end": (mp3 + bytes(1500), "partly_decoded"),
        "html-at-the-end": (mp3 + b"<html></html>" * 500, "partly_decoded"),
        "garbage-at-the-end": (mp3 + garbage[:20_000], "partly_decoded"),
        "zeros-at-the-end-of-a-half": (mp3[:middle] + bytes(1500), "undecodable"),
        "tag-at-the-end": (mp3 + b"TAG" + bytes(125), "ok"),
        "flac-of-unknown-length": (unknown_length, "partly_decoded"),
        "half-a-flac-of-unknown-length": (unknown_length[:300_000], "undecodable"),
        "flac-without-its-end": (flac[:-3000], "partly_decoded"),
        "streamed-wav": (replaced(replaced(wav, 4, bytes(4)), data_size, bytes(4)), "ok"),
        "streamed-wav-too": (
            replaced(replaced(wav, 4, b"\xff" * 4), data_size, b"\xff" * 4),
            "ok",
        ),
        "wav-of-integers-as-floats": (
            encoded(32_768 * clip, format="WAV", subtype="FLOAT"),
            "too_loud",
        ),
        "wav-above-full-scale": (encoded(20 * clip, format="WAV", subtype="FLOAT"), "ok"),
        "antiphase": (encoded(np.stack([clip, -clip], axis=1), format="WAV"), "ok"),
        "stereo-44100": (encoded(stereo, 44_100, format="MP3"), "ok"),
        "48000": (encoded(noise(29.124, 48_000), 48_000, format="MP3"), "ok"),
        "8000": (encoded(noise(29.124, 8_000), 8_000, format="MP3"), "ok"),
        "short": (encoded(noise(0.1), format="MP3"), "too_short"),
        "a-second-short": (encoded(noise(28.2), format="WAV"), "padded"),
        "35-seconds": (encoded(noise(35), format="WAV"), "cropped"),
        "10-minutes": (encoded(noise(600, 8_000), 8_000, format="WAV"), "too_long"),
        "silence": (encoded(np.zeros_like(clip), format="MP3"), "silent"),
        "clipping": (encoded(np.clip(50 * clip, -1, 1), format="MP3"), "ok"),
        "overflowing": (encoded(1e21 * clip, format="WAV", subtype="FLOAT"), "non_finite"),
        "last-bit": (encoded(np.sign(clip) / 32_768, format="WAV"), "silent"),
        "promising-little": (variable_without_header, "too_short"),
        "nan": (encoded(with_nan, format="WAV", subtype="FLOAT"), "non_finite"),
        "id3-only": (id3, "not_audio"),
        "id3-and-clip": (id3 + mp3, "ok"),
    }


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    """A corpus of odd files, with clips.csv and audio.json, and the status of each clip."""
    folder = tmp_path_factory.mktemp("odd")
    (folder / "0").mkdir()
    write_mp3(folder / "0/good.mp3", noise(29.124))
    expected = {"good": "ok"}
    for name, (content, status) in files((folder / "0/good.mp3").read_bytes()).items():
        (folder / f"0/{name}.mp3").write_bytes(content)
        expected[name] = status
    (folder / "0/huge.mp3").touch()
    os.truncate(folder / "0/huge.mp3", 100_000_000)
    expected["huge"] = "too_long"
    (folder / "0/folder.mp3").mkdir()
    os.mkfifo(folder / "0/fifo.mp3")
    (folder / "0/loop.mp3").symlink_to("pool.mp3")
    (folder / "0/pool.mp3").symlink_to("loop.mp3")
    expected |= dict.fromkeys(("folder", "fifo", "loop"), "unreadable")
    expected["not-there"] = "missing"
    write_tables(folder, [f"0/{name}.mp3" for name in expected])
    return folder, expected


def write_tables(folder, paths):
    corpus = open_corpus(folder)
    clips = pd.DataFrame({"clip_id": range(100, 100 + len(paths)), "mp3_path": paths})
    clips["bytes"] = clips["mp3_path"].map(corpus.size).astype("Int64")
    clips["crc32"] = clips["mp3_path"].map(corpus.crc32).astype("Int64")
    clips.to_csv(folder / "clips.csv", index=False)
    write_json({"corpus": str(folder)}, folder / "audio.json")


def shard(folder, out):
    """Arguments of extract_mel_shard."""
    return {
        "download": folder,
        "shard": 0,
        "shards": 1,
        "settings": SETTINGS,
        "limits": LIMITS,
        "unfinished": out / "unfinished/shard-00.npy",
        "spectrograms": out / "shard-00.npy",
        "clips": out / "shard-00.csv",
        "versions": out / "shard-00.json",
    }


def test_every_odd_file_has_its_status(odd, tmp_path):
    folder, expected = odd
    extract_mel_shard(**shard(folder, tmp_path))
    table = pd.read_csv(tmp_path / "shard-00.csv")
    assert dict(zip(expected, table["status"], strict=True)) == expected
    assert set(expected.values()) == set(STATUSES)
    bad = ~table["status"].isin(USABLE)
    spectrograms = np.load(tmp_path / "shard-00.npy")
    assert (spectrograms[bad] == 0).all()
    assert np.isfinite(spectrograms).all()
    assert (spectrograms[~bad].max(axis=(1, 2)) > -20).all()
    extract_mel(
        shards=[tmp_path / "shard-00.csv"],
        settings=SETTINGS,
        max_bad=0.9,
        summary=tmp_path / "summary.csv",
        front_end=tmp_path / "front_end.json",
        versions=tmp_path / "versions.json",
        checksums=tmp_path / "SHA256SUMS",
    )
    assert len(MelStore(tmp_path / "summary.csv").clip_ids) == (~bad).sum()


def test_what_is_stored_is_the_spectrogram_within_a_twentieth_of_a_decibel(odd, tmp_path):
    folder, expected = odd
    extract_mel_shard(**shard(folder, tmp_path))
    row = list(expected).index("clipping")
    front_end = FrontEnd(SETTINGS, LIMITS)
    spectrogram, _, _ = front_end.extract(open_corpus(folder), "0/clipping.mp3")
    stored = np.load(tmp_path / "shard-00.npy")[row]
    assert 0 < np.abs(stored - spectrogram).max() < 0.05


def test_a_file_without_permission_is_unreadable(odd, monkeypatch):
    folder, _ = odd

    def refuse(path, *arguments):
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr("os.open", refuse)
    result = FrontEnd(SETTINGS, LIMITS).extract(open_corpus(folder), "0/good.mp3")
    assert result == (None, 0.0, "unreadable")


def test_the_lengths_are_those_of_what_was_decoded(odd):
    folder, _ = odd
    front_end = FrontEnd(SETTINGS, LIMITS)
    lengths = {
        name: front_end.extract(open_corpus(folder), f"0/{name}.mp3")[1]
        for name in (
            *("good", "35-seconds", "10-minutes", "8000", "nan"),
            *("zeros-at-the-end", "flac-of-unknown-length", "streamed-wav"),
        )
    }
    assert lengths == {
        "good": 29.196,  # the encoder fills its last frame
        "35-seconds": 35,
        "10-minutes": 60,
        "8000": 29.124,
        "nan": 0,
        "zeros-at-the-end": 29.196,
        "flac-of-unknown-length": 29.124,
        "streamed-wav": 29.124,
    }


def test_bytes_after_the_last_frame_change_no_sample(odd):
    folder, _ = odd
    front_end, corpus = FrontEnd(SETTINGS, LIMITS), open_corpus(folder)
    for whole, other in (
        ("good", "zeros-at-the-end"),
        ("good", "garbage-at-the-end"),
        ("flac", "flac-of-unknown-length"),
        ("wav", "streamed-wav"),
    ):
        expected, _, _ = front_end.extract(corpus, f"0/{whole}.mp3")
        found, _, _ = front_end.extract(corpus, f"0/{other}.mp3")
        np.testing.assert_array_equal(found, expected)


def test_channels_that_cancel_each_other_are_not_silent(odd):
    folder, _ = odd
    front_end, corpus = FrontEnd(SETTINGS, LIMITS), open_corpus(folder)
    one_channel, _, _ = front_end.extract(corpus, "0/wav.mp3")
    found, _, _ = front_end.extract(corpus, "0/antiphase.mp3")
    np.testing.assert_allclose(found, one_channel, atol=0.2)  # the signs are rounded otherwise


@pytest.mark.parametrize("log_scale", ["power_db", "squared_power_db", "log1p"])
def test_the_loudest_clip_that_is_used_is_finite_in_float16(log_scale):
    sine = 14.1 * np.sin(np.arange(12_000, dtype=np.float32))  # RMS 9.97
    mel = log_mel(
        sine, sample_rate=12_000, n_fft=512, hop_length=256, n_mels=96, log_scale=log_scale
    )
    assert np.isfinite(mel.astype(np.float16)).all()


def test_killed_twenty_times_it_ends_with_the_same_bytes(small_corpus, tmp_path):
    good = sorted(path for path in small_corpus.glob("?/*.mp3") if path.stat().st_size)
    for number in range(150):
        (small_corpus / f"0/copy-{number:03}.mp3").hardlink_to(good[number % len(good)])
    (small_corpus / "0/copy-070.mp3").unlink()
    write_tables(small_corpus, [f"0/copy-{number:03}.mp3" for number in range(150)])
    extract_mel_shard(**shard(small_corpus, tmp_path / "whole"))

    context = get_context("fork")  # what takes long to begin with is there already
    rng = np.random.default_rng(0)
    journal = tmp_path / "killed/unfinished/shard-00.journal"
    journal.parent.mkdir(parents=True)
    journal.touch()
    done = [0]
    for _ in range(20):
        process = context.Process(
            target=extract_mel_shard, kwargs=shard(small_corpus, tmp_path / "killed")
        )
        process.start()
        goal = done[-1] + rng.integers(0, 6)
        while process.is_alive() and journal.read_bytes().count(b"\n") < goal:
            time.sleep(0.001)
        time.sleep(rng.uniform(0, 0.02))
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        assert process.exitcode == -signal.SIGKILL
        done.append(journal.read_bytes().count(b"\n"))
    assert done == sorted(done)
    assert done[-1] > 20
    extract_mel_shard(**shard(small_corpus, tmp_path / "killed"))
    for name in ("shard-00.npy", "shard-00.csv"):
        whole = (tmp_path / "whole" / name).read_bytes()
        assert (tmp_path / "killed" / name).read_bytes() == whole
    assert not list(journal.parent.iterdir())


@pytest.mark.parametrize("zipped", [False, True])
def test_clips_of_equal_size_that_are_exchanged_are_refused(small_corpus, tmp_path, zipped):
    paths = ["0/clip-0-0-29.mp3", "1/clip-1-0-29.mp3"]
    contents = [(small_corpus / path).read_bytes() for path in paths]
    assert len(contents[0]) == len(contents[1])
    write_clips(small_corpus, paths, contents, zipped=zipped)
    write_tables(small_corpus, paths)
    write_clips(small_corpus, paths, contents[::-1], zipped=zipped)
    with pytest.raises(UserError, match=f"{paths[0]} has changed since the download; run"):
        extract_mel_shard(**shard(small_corpus, tmp_path))
    assert not (tmp_path / "shard-00.npy").exists()


def write_clips(folder, paths, contents, *, zipped):
    for path, content in zip(paths, contents, strict=True):
        (folder / path).write_bytes(content)
    if zipped:
        with zipfile.ZipFile(folder / "mp3.zip", "w") as archive:
            for path in paths:
                archive.write(folder / path, path)


def test_a_repaired_clip_takes_no_row_of_the_damaged_one(small_corpus, tmp_path, monkeypatch):
    paths = ["0/clip-0-0-29.mp3", "1/clip-1-0-29.mp3"]
    good = (small_corpus / paths[0]).read_bytes()
    (small_corpus / paths[0]).write_bytes(bytes(len(good)))
    write_tables(small_corpus, paths)
    with monkeypatch.context() as patch:
        patch.setattr(UnfinishedShard, "finish", interrupt)
        with pytest.raises(KeyboardInterrupt):
            extract_mel_shard(**shard(small_corpus, tmp_path))
    journal = tmp_path / "unfinished/shard-00.journal"
    assert journal.read_bytes().count(b"\n") == 3  # the fingerprint, two clips
    (small_corpus / paths[0]).write_bytes(good)
    write_tables(small_corpus, paths)
    extract_mel_shard(**shard(small_corpus, tmp_path))
    assert pd.read_csv(tmp_path / "shard-00.csv")["status"].tolist() == ["ok", "ok"]


def interrupt(*arguments):
    raise KeyboardInterrupt


def test_the_page_on_spectrograms_explains_every_status():
    page = (ROOT / "docs/spectrograms.md").read_text()
    rows = "".join(f"| `{status}` | {meaning} |\n" for status, meaning in STATUSES.items())
    assert f"| status | meaning |\n| --- | --- |\n{rows}\n" in page
