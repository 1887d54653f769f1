import numpy as np
import pytest
import soundfile

from autotagging.tagging.audio import Song
from autotagging.tagging.bundle import load_tagger
from autotagging.tagging.excerpts import cut_excerpts
from autotagging.tagging.songs import tag_song
from bundles import tone, write_bundle, write_ffmpeg

RATE, LENGTH = 12_000, 24_000


def music(seconds, rate):
    rng = np.random.default_rng(0)
    levels = np.repeat(rng.uniform(0.05, 0.5, seconds), rate)
    return (levels * rng.uniform(-1, 1, seconds * rate)).astype(np.float32)


def of_stream(path):
    return np.concatenate([*Song(path, sample_rate=RATE).blocks()])


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize(
    ("suffix", "rate"), [("wav", RATE), ("flac", 44_100), ("mp3", 44_100), ("ogg", 48_000)]
)
def test_excerpts_are_parts_of_the_song(tmp_path, suffix, rate, count):
    path = tmp_path / f"song.{suffix}"
    with soundfile.SoundFile(path, "w", rate, 1) as file:
        for part in np.split(music(20, rate), 20):
            file.write(part)
    whole = of_stream(path)
    song = Song(path, sample_rate=RATE)
    cut = [*cut_excerpts(song, samples=LENGTH, count=count)]
    places = [0.5] if count == 1 else [0.25, 0.5, 0.75]
    assert [window.start for window in cut] == pytest.approx([18 * p for p in places], abs=0.05)
    assert song.seconds == pytest.approx(20, abs=0.1)
    for window in cut:
        start = round(window.start * RATE)
        np.testing.assert_allclose(window.samples, whole[start : start + LENGTH], atol=2e-3)


def test_a_short_song_is_used_as_a_whole(tmp_path):
    soundfile.write(tmp_path / "song.wav", music(6, RATE), RATE)
    cut = cut_excerpts(Song(tmp_path / "song.wav", sample_rate=RATE), samples=LENGTH, count=3)
    assert [window.start for window in cut] == [0, 2, 4]


def test_a_stream_is_used_as_a_whole(tmp_path, monkeypatch):
    soundfile.write(tmp_path / "decoded.wav", music(20, RATE), RATE)
    content = f"open({str(tmp_path / 'decoded.wav')!r}, 'rb').read()"
    monkeypatch.setenv(
        "PATH", write_ffmpeg(tmp_path, f"import sys; sys.stdout.buffer.write({content})")
    )
    (tmp_path / "song.m4a").write_bytes(b"\0\0\0\x18ftypM4A ")
    cut = cut_excerpts(Song(tmp_path / "song.m4a", sample_rate=RATE), samples=LENGTH, count=3)
    assert len([*cut]) == 10


def test_a_song_is_tagged_by_its_excerpts(tmp_path):
    tagger = load_tagger(write_bundle(tmp_path))
    parts = [tone(5, 440), tone(10, 5000), tone(5, 440)]
    soundfile.write(tmp_path / "song.wav", np.concatenate(parts), RATE)
    middle = tag_song(tmp_path / "song.wav", tagger, excerpts=1, keep_windows=True)
    assert (middle["windows"], middle["excerpts"], middle["window_starts"]) == (1, 1, [9.0])
    assert middle["scores"]["low"] < 0.1 < tag_song(tmp_path / "song.wav", tagger)["scores"]["low"]
