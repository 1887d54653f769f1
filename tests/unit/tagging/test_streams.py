"""Files of which libsndfile alone decodes a part: all of it is decoded, or a warning says so."""

import os
import struct

import numpy as np
import pytest
import soundfile

from autotagging.tagging.audio import Song
from autotagging.tagging.errors import AudioError
from autotagging.tagging.excerpts import cut_excerpts
from autotagging.tagging.streams import open_stream
from bundles import write_ffmpeg
from song_files import write_song

RATE = 16_000
FRAME = 1152 / RATE  # seconds by which two decoders may differ at each end


def loud_then_quiet(seconds=6, rate=RATE):
    """Make a song whose bit rate is high in the first second."""
    levels = np.repeat([0.1, 0.001], [rate, (seconds - 1) * rate])
    return levels * np.random.default_rng(0).uniform(-1, 1, seconds * rate)


def write_mp3(path, *, info=True, rate=RATE):
    """Write an MP3 of 6 seconds and variable bit rate, with or without its info frame."""
    soundfile.write(
        path, loud_then_quiet(rate=rate), rate, bitrate_mode="VARIABLE", compression_level=0
    )
    content = path.read_bytes()
    if not info:
        second = content.index(content[:2], 100)
        assert b"Xing" in content[:second]
        path.write_bytes(content[second:])
    return path


def decoded(path):
    song = Song(path, sample_rate=RATE)
    samples = np.concatenate([*song.blocks()])
    assert len(samples) == round(song.seconds * RATE)
    return song


def test_an_mp3_that_does_not_give_its_length_is_decoded_to_its_end(tmp_path):
    path = write_mp3(tmp_path / "song.mp3", info=False)
    assert soundfile.info(path).duration < 5  # libsndfile's estimate
    song = decoded(path)
    assert song.seconds == pytest.approx(6, abs=2 * FRAME)
    assert song.warning is None
    excerpts = [*cut_excerpts(Song(path, sample_rate=RATE), samples=RATE, count=2)]
    assert [window.start for window in excerpts] == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("between", [b"", b"TAG" + bytes(125) + b"ID3\4\0\0\0\0\0\x0a" + bytes(10)])
def test_mp3s_that_were_joined_are_decoded_to_the_end_of_the_last(tmp_path, between):
    path = write_mp3(tmp_path / "song.mp3")
    path.write_bytes(path.read_bytes() + between + path.read_bytes() + b"TAG" + bytes(125))
    song = decoded(path)
    assert song.seconds == pytest.approx(12, abs=4 * FRAME)
    assert song.warning is None


def test_a_joined_mp3_of_another_rate_is_told(tmp_path):
    path, other = write_mp3(tmp_path / "song.mp3"), write_mp3(tmp_path / "other.mp3", rate=24_000)
    path.write_bytes(path.read_bytes() + 4 * other.read_bytes())
    song = decoded(path)
    assert song.seconds == pytest.approx(6, abs=2 * FRAME)
    assert song.warning.startswith("decoding failed after 6.")
    assert song.warning.endswith("libsndfile does not decode what follows")


def test_an_mp3_that_gives_its_length_can_be_cut_into_excerpts(tmp_path):
    path = write_mp3(tmp_path / "song.mp3")
    assert decoded(path).seconds == 6
    excerpts = [*cut_excerpts(Song(path, sample_rate=RATE), samples=RATE, count=1)]
    assert [window.start for window in excerpts] == [2.5]


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_what_follows_the_first_stream_of_ogg_is_told(tmp_path, monkeypatch, subtype):
    monkeypatch.setenv("PATH", str(tmp_path))
    path = tmp_path / "song.ogg"
    soundfile.write(path, loud_then_quiet(), RATE, format="OGG", subtype=subtype)
    assert decoded(path).warning is None
    path.write_bytes(path.read_bytes() * 2)
    song = decoded(path)
    assert song.seconds == pytest.approx(6, abs=0.1)
    assert song.warning == (
        "decoding failed after 6.0 s: another stream begins there, as in files that were joined"
    )
    excerpted = Song(path, sample_rate=RATE)
    assert len([*cut_excerpts(excerpted, samples=RATE, count=2)]) == 5
    assert excerpted.warning == song.warning


def by_ffmpeg(folder, seconds=9):
    """Write a program `ffmpeg` that decodes every file to so many seconds."""
    soundfile.write(folder / "all.wav", loud_then_quiet(seconds), RATE)
    content = f"open({str(folder / 'all.wav')!r}, 'rb').read()"
    return write_ffmpeg(folder, f"import sys; sys.stdout.buffer.write({content})")


def test_all_streams_of_ogg_are_decoded_by_ffmpeg(tmp_path, monkeypatch):
    path = write_song(tmp_path / "song.ogg")
    monkeypatch.setenv("PATH", by_ffmpeg(tmp_path))
    assert decoded(path).seconds == pytest.approx(0.3)
    path.write_bytes(path.read_bytes() * 2)
    song = decoded(path)
    assert (song.seconds, song.warning) == (9, None)


def test_what_libsndfile_can_not_open_is_decoded_by_ffmpeg(tmp_path, monkeypatch):
    paths = [write_song(tmp_path / "song.oga"), tmp_path / "song.caf"]
    caf = b"caff\0\1\0\0desc" + struct.pack(">QdIIIIII", 32, RATE, 0x616C6163, 0, 0, 4096, 1, 0)
    paths[1].write_bytes(caf + b"data" + struct.pack(">Q", 2000) + bytes(2000))
    reasons = []
    for path in paths:
        monkeypatch.setenv("PATH", str(tmp_path / "none"))
        with pytest.raises(AudioError) as error:
            decoded(path)
        reasons.append(str(error.value))
        monkeypatch.setenv("PATH", by_ffmpeg(tmp_path))
        assert decoded(path).seconds == 9
    write_ffmpeg(tmp_path, "raise SystemExit(1)")
    for path, reason in zip(paths, reasons, strict=True):
        with pytest.raises(AudioError) as error:
            decoded(path)
        assert str(error.value) == reason
        assert error.value.kind == "undecodable"


def test_a_file_that_is_no_audio_is_not_for_ffmpeg(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", by_ffmpeg(tmp_path))
    path = tmp_path / "song.mp3"
    path.write_text("ffconcat version 1.0\nfile other.flac\n")
    with pytest.raises(AudioError) as error:
        decoded(path)
    assert error.value.kind == "not_audio"


def test_a_wav_whose_writer_did_not_know_its_size_is_decoded(tmp_path):
    samples = loud_then_quiet()
    path = tmp_path / "song.wav"
    soundfile.write(path, samples, RATE, subtype="FLOAT")
    content = path.read_bytes()
    size = content.index(b"data") + 4
    path.write_bytes(content[:size] + bytes(4) + content[size + 4 :])
    found = np.concatenate([*Song(path, sample_rate=RATE).blocks()])
    np.testing.assert_array_equal(found, samples.astype(np.float32))


def test_an_mp3_whose_audio_is_far_behind_its_tag_is_decoded(tmp_path):
    path = write_mp3(tmp_path / "song.mp3")
    path.write_bytes(b"ID3\4\0\0\0\0\0\x0a" + bytes(10 + 100_000) + path.read_bytes())
    assert decoded(path).seconds == 6


def test_a_file_that_is_closed_early_leaves_nothing_open(tmp_path):
    path = write_mp3(tmp_path / "song.mp3", info=False)
    path.write_bytes(path.read_bytes() * 10)  # more than a pipe holds
    before = os.listdir("/proc/self/fd")
    with open_stream(path) as file:
        assert len(file.read(100)) == 100
    assert os.listdir("/proc/self/fd") == before
