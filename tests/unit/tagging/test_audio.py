import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from autotagging.corpus.decoding import decode_audio
from autotagging.tagging.audio import Song
from autotagging.tagging.errors import ERRORS, AudioError
from autotagging.tagging.formats import find_ffmpeg
from bundles import tone, write_ffmpeg, write_song

RATE = 12_000


def windows(path, *, samples=2 * RATE, hop=2 * RATE, rate=RATE):
    song = Song(path, sample_rate=rate)
    return song, [*song.windows(samples=samples, hop=hop)]


def noise(seconds, rate=RATE, seed=0):
    return np.random.default_rng(seed).uniform(-0.5, 0.5, round(seconds * rate)).astype(np.float32)


def failure(path):
    with pytest.raises(AudioError) as caught:
        windows(path)
    assert caught.value.kind in ERRORS
    return caught.value


def write(path, samples, rate=RATE):
    soundfile.write(path, samples, rate, subtype="FLOAT")
    return path


def test_the_last_window_is_flush_with_the_end(tmp_path):
    samples = noise(7.5)
    song, cut = windows(write(tmp_path / "song.wav", samples))
    assert [window.start for window in cut] == [0, 2, 4, 5.5]
    for window in cut:
        start = round(window.start * RATE)
        np.testing.assert_array_equal(window.samples, samples[start : start + 2 * RATE])
    assert song.seconds == 7.5
    assert song.warning is None


def test_windows_overlap_by_the_hop_that_is_given(tmp_path):
    _, cut = windows(write(tmp_path / "song.wav", noise(7.5)), hop=RATE)
    assert [window.start for window in cut] == [0, 1, 2, 3, 4, 5]


def test_up_to_a_second_more_than_windows_is_left_over(tmp_path):
    _, cut = windows(write(tmp_path / "song.wav", noise(7.0)))
    assert [window.start for window in cut] == [0, 2, 4]


@pytest.mark.parametrize("seconds", [1.0, 1.5, 2.0, 2.5, 3.0])
def test_a_song_of_about_a_window_is_padded_or_cropped_at_both_ends(tmp_path, seconds):
    samples = noise(seconds)
    _, (window,) = windows(write(tmp_path / "song.wav", samples))
    surplus = len(samples) - 2 * RATE
    if surplus >= 0:
        expected = samples[surplus // 2 :][: 2 * RATE]
    else:
        expected = np.pad(samples, (-surplus // 2, -surplus - -surplus // 2))
    np.testing.assert_array_equal(window.samples, expected)


@pytest.mark.parametrize("seconds", [0.001, 0.3, 0.99])
def test_a_short_song_is_repeated(tmp_path, seconds):
    samples = noise(seconds)
    song, (window,) = windows(write(tmp_path / "song.wav", samples))
    assert (window.start, song.seconds) == (0, seconds)
    np.testing.assert_array_equal(window.samples, np.tile(samples, 2000)[: 2 * RATE])


@pytest.mark.parametrize("rate", [8_000, 11_025, 44_100, 96_000])
def test_a_stream_is_resampled_as_a_whole_song_is(tmp_path, rate):
    samples = np.stack([noise(70, rate), noise(70, rate, seed=1)], axis=1)
    song = Song(write(tmp_path / "song.wav", samples, rate), sample_rate=RATE)
    whole = soxr.resample(samples.mean(axis=1), rate, RATE, quality="HQ")
    np.testing.assert_allclose(np.concatenate([*song.blocks()]), whole, atol=1e-6)
    assert song.seconds == 70


@pytest.mark.parametrize("suffix", ["mp3", "flac", "ogg", "aiff", "wav"])
def test_a_clip_is_decoded_as_for_training(tmp_path, suffix):
    path = write_song(tmp_path / f"clip.{suffix}", noise(29.2, 16_000), rate=16_000)
    decoded = decode_audio(path.read_bytes(), longest=60).resampled(RATE)
    found = np.concatenate([*Song(path, sample_rate=RATE).blocks()])
    np.testing.assert_array_equal(found, decoded)


def test_a_clip_of_the_corpus_is_cropped_as_for_training(magnatagatune):
    (path,) = magnatagatune.glob("mp3/e/*.mp3")
    song, (window,) = windows(path, samples=349_440, hop=349_440)
    decoded = decode_audio(path.read_bytes(), longest=60).resampled(RATE)
    np.testing.assert_array_equal(window.samples, decoded[24:-24])
    assert song.seconds == 29.124


def test_channels_are_averaged_unless_they_cancel_each_other(tmp_path):
    left, quiet = noise(3), 0.1 * noise(3, seed=1)
    for right, expected in ((quiet, (left + quiet) / 2), (-left, left)):
        path = write(tmp_path / "song.wav", np.stack([left, right], axis=1))
        np.testing.assert_allclose(
            np.concatenate([*Song(path, sample_rate=RATE).blocks()]), expected
        )
    six = np.stack([left, *[quiet] * 5], axis=1)
    found = np.concatenate([*Song(write(tmp_path / "six.wav", six), sample_rate=RATE).blocks()])
    np.testing.assert_allclose(found, six.mean(axis=1), atol=1e-6)


def test_silence_is_told_from_quiet_music(tmp_path):
    path = write(tmp_path / "song.wav", np.concatenate([np.zeros(2 * RATE), 1e-3 * noise(2)]))
    assert [window.silent for window in windows(path)[1]] == [True, False]


def test_a_song_that_is_cut_off_is_used_up_to_there(tmp_path):
    path = write_song(tmp_path / "song.flac", noise(100))
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 20_000] = bytes(20_000)
    path.write_bytes(content)
    song, cut = windows(path)
    assert 45 < song.seconds < 50
    assert song.warning.startswith("decoding failed after 4")
    assert len(cut) >= 20


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("song.mp3", b"", "empty"),
        ("song.mp3", b"This is text.\n" * 100, "not_audio"),
        ("song.txt", b"This is text.\n" * 100, "not_audio"),
        ("song.wav", b"RIFF\x10\0\0\0WAVEjunk\0\0\0\0", "undecodable"),
        ("song.ogg", b"OggS" + bytes(200), "undecodable"),
        ("song.m4a", b"\0\0\0\x18ftypM4A " + bytes(200), "unsupported_format"),
        ("song.wma", b"0&\xb2u" + bytes(200), "unsupported_format"),
    ],
)
def test_a_file_without_music_has_a_typed_error(tmp_path, monkeypatch, name, content, kind):
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / name).write_bytes(content)
    assert failure(tmp_path / name).kind == kind


def test_a_place_without_a_file_has_a_typed_error(tmp_path):
    assert failure(tmp_path / "missing.mp3").kind == "missing"
    assert failure(tmp_path).kind == "unreadable"
    os.mkfifo(tmp_path / "pipe.mp3")
    assert failure(tmp_path / "pipe.mp3").message == "not a regular file"


@pytest.mark.parametrize(
    ("samples", "kind"),
    [
        (np.zeros(0), "empty"),
        (np.full(3 * RATE, np.nan), "non_finite"),
        (1000 * tone(3, 440), "too_loud"),
    ],
)
def test_samples_that_are_no_music_have_a_typed_error(tmp_path, samples, kind):
    assert failure(write(tmp_path / "song.wav", samples)).kind == kind


def test_the_name_of_a_song_may_be_no_text(tmp_path):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff song.wav"))
    write(tmp_path / "song.wav", noise(2)).rename(path)
    assert windows(path)[0].seconds == 2


def test_other_formats_are_decoded_by_ffmpeg(tmp_path, monkeypatch):
    samples = noise(5)
    write(tmp_path / "decoded.wav", samples)
    code = (
        "import sys; assert '-format_whitelist' in sys.argv; "  # or playlists are followed
        f"sys.stdout.buffer.write(open({str(tmp_path / 'decoded.wav')!r}, 'rb').read())"
    )
    monkeypatch.setenv("PATH", write_ffmpeg(tmp_path, code))
    (tmp_path / "song.m4a").write_bytes(b"\0\0\0\x18ftypM4A ")
    _, cut = windows(tmp_path / "song.m4a")
    assert [window.start for window in cut] == [0, 2]
    np.testing.assert_array_equal(cut[0].samples, samples[: 2 * RATE])


def test_the_exit_code_of_ffmpeg_tells_that_the_end_is_missing(tmp_path, monkeypatch):
    write(tmp_path / "decoded.wav", noise(5))
    content = f"open({str(tmp_path / 'decoded.wav')!r}, 'rb').read()"
    code = f"import sys; sys.stdout.buffer.write({content}); sys.exit(3)"
    monkeypatch.setenv("PATH", write_ffmpeg(tmp_path, code))
    (tmp_path / "song.m4a").write_bytes(b"\0\0\0\x18ftypM4A ")
    song, cut = windows(tmp_path / "song.m4a")
    assert song.warning == "decoding failed after 5.0 s: ffmpeg ended with exit code 3"
    assert len(cut) == 2


def test_what_ffmpeg_can_not_decode_is_undecodable(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", write_ffmpeg(tmp_path, "raise SystemExit(1)"))
    (tmp_path / "song.m4a").write_bytes(b"\0\0\0\x18ftypM4A ")
    assert failure(tmp_path / "song.m4a").kind == "undecodable"


@pytest.mark.skipif(find_ffmpeg() is None, reason="needs the program ffmpeg")
@pytest.mark.parametrize(
    ("suffix", "codec"),
    [
        ("aac", "aac"),
        ("aac", "aac -f latm"),
        ("m4a", "aac"),
        ("m4a", "aac -f mpegts"),
        ("m4a", "ac3 -f ac3"),
        ("m4a", "alac"),
        ("mka", "flac"),
        ("spx", "libspeex"),
        ("tta", "tta"),
        ("wma", "wmav2"),
        ("wv", "wavpack"),
    ],
)
def test_ffmpeg_decodes_the_formats_that_are_named(tmp_path, suffix, codec):
    decoded = write(tmp_path / "decoded.wav", noise(5))
    path = tmp_path / f"song.{suffix}"
    command = [find_ffmpeg(), "-v", "error", "-i", decoded, "-ar", "32000", "-c:a", *codec.split()]
    if subprocess.run([*command, path], capture_output=True).returncode:
        pytest.skip(f"this ffmpeg writes no {codec}")
    song, _ = windows(path)
    assert song.seconds == pytest.approx(5, abs=0.2)
    assert song.warning is None


@pytest.mark.skipif(find_ffmpeg() is None, reason="needs the program ffmpeg")
@pytest.mark.parametrize("suffix", ["m4a", "wma", "wv"])
def test_a_playlist_with_the_name_of_a_song_reads_no_other_file(tmp_path, suffix):
    other = write(tmp_path / "other.wav", noise(5))
    path = tmp_path / f"list.{suffix}"
    for text in (
        f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{other}\n#EXT-X-ENDLIST\n",
        f"ffconcat version 1.0\nfile '{other.name}'\n",
    ):
        path.write_text(text)
        assert failure(path).kind == "undecodable"
