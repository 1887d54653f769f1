"""Songs cut into clips: which samples, of what length, and which songs can't be cut."""

import numpy as np
import pytest
import soundfile

from autotagging.tools.importing.cutting import BadSongError, CutSettings, cut_song, flac_has
from bundles import write_ffmpeg

SETTINGS = CutSettings(seconds=1.5, sample_rate=4000, shortest=1.0)


def noise(seconds, rate=4000, channels=1):
    return np.random.default_rng(0).uniform(-0.4, 0.4, (int(seconds * rate), channels))


@pytest.fixture
def cut(tmp_path):
    """Function that writes a song and cuts it; it returns the cut and the clips as int16."""
    (tmp_path / "0").mkdir()

    def of(samples, rate=4000, settings=SETTINGS, **written):
        path = tmp_path / f"song.{written.get('format', 'wav').lower()}"
        soundfile.write(path, samples, rate, **written)
        result = cut_song(path, "0/song", tmp_path, settings)
        clips = [soundfile.read(tmp_path / clip.mp3_path, dtype="int16") for clip in result.clips]
        assert {rate for _, rate in clips} == {settings.sample_rate}
        assert len(clips) == len([*tmp_path.glob("0/*")])
        return result, [samples for samples, _ in clips]

    return of


def test_clips_are_consecutive_and_the_rest_is_left_out(cut):
    song = np.rint(noise(5.9) * 32768).astype(np.int16)
    result, clips = cut(song, subtype="PCM_16")
    assert [clip[:3] for clip in result.clips] == [
        ("0/song-0-1.flac", 0, 1),
        ("0/song-1-3.flac", 1, 3),
        ("0/song-3-4.flac", 3, 4),
    ]
    np.testing.assert_array_equal(np.concatenate(clips), song[:18_000, 0])


def test_a_song_of_the_shortest_length_is_cut(cut):
    """16.03 s at 16 kHz are 256,480 samples, although the product of floats is above."""
    settings = CutSettings(seconds=20.0, sample_rate=4000, shortest=16.03)
    assert 16.03 * 16_000 > 256_480
    result, _ = cut(noise(17.0, 16_000)[:256_480], 16_000, settings=settings)
    assert len(result.clips) == 1
    with pytest.raises(BadSongError, match=r"16\.0 s long, shorter than --shortest 16\.03"):
        cut(noise(17.0, 16_000)[:256_479], 16_000, settings=settings)


@pytest.mark.parametrize("seconds", [1.0, 1.0001, 1.01])
def test_clips_of_the_least_length_have_names_of_their_own(cut, seconds):
    settings = CutSettings(seconds=seconds, sample_rate=4000)
    result, _ = cut(noise(120.0, 4001), 4001, settings=settings)
    assert len({clip.mp3_path for clip in result.clips}) == int(120 / seconds)


@pytest.mark.parametrize("written", [{}, {"format": "FLAC"}, {"format": "OGG"}, {"format": "MP3"}])
def test_any_format_rate_and_channels_become_mono_of_one_rate(cut, written):
    time = np.arange(44_100 * 4) / 44_100
    song = np.stack([0.5 * np.sin(2 * np.pi * 440 * time), np.zeros_like(time)], axis=1)
    _, clips = cut(song, 44_100, **written)
    assert [len(clip) for clip in clips] == [6000, 6000]
    spectrum = np.abs(np.fft.rfft(clips[1]))
    assert spectrum.argmax() == 660  # 440 Hz in 1.5 s
    assert np.sqrt(np.mean(np.square(clips[1] / 32768.0))) == pytest.approx(0.1768, abs=0.01)


@pytest.mark.parametrize("rate", [1000, 44_101, 65_535, 65_540, 96_000, 655_350])
def test_clips_may_have_the_rates_of_flac(cut, rate):
    assert flac_has(rate)
    _, (clip,) = cut(noise(1.5), settings=CutSettings(seconds=1.0, sample_rate=rate))
    assert len(clip) == rate


@pytest.mark.parametrize("rate", [65_536, 100_001, 655_351, 655_360, 700_000, 10_000_000])
def test_flac_has_no_other_rates(tmp_path, rate):
    assert not flac_has(rate)
    with pytest.raises(soundfile.LibsndfileError):
        soundfile.write(tmp_path / "clip.flac", np.zeros(100, np.int16), rate)


def test_channels_that_cancel_each_other_do_not_become_silence(cut):
    mono = noise(1.5)
    _, (clip,) = cut(np.concatenate([mono, -mono], axis=1), subtype="FLOAT")
    np.testing.assert_allclose(clip / 32768, mono[:, 0], atol=1e-4)


def test_a_short_song_is_padded_at_both_ends(cut):
    result, (clip,) = cut(noise(1.1))
    assert result.clips == (("0/song-0-1.flac", 0, 1),)
    assert len(clip) == 6000
    assert not clip[:800].any()
    assert not clip[-800:].any()
    assert np.count_nonzero(clip) > 4300


def test_silent_parts_are_left_out_and_clips_of_a_long_song_are_spread(cut):
    song = noise(15.0)
    song[6000:12_000] = 0
    result, _ = cut(song)
    assert result.silent == 1
    assert [clip.start for clip in result.clips] == [0, 3, 4, 6, 7, 9, 10, 12, 13]
    few = CutSettings(seconds=1.5, sample_rate=4000, clips_per_song=2)
    assert [clip.start for clip in cut(song, settings=few)[0].clips] == [4, 10]


def test_louder_than_full_scale_is_clipped(cut):
    _, (clip,) = cut(3 * noise(1.5), subtype="FLOAT")
    assert (clip.min(), clip.max()) == (-32768, 32767)


def test_the_same_audio_has_the_same_digest_whatever_the_format(cut):
    song = np.rint(noise(1.5) * 32768).astype(np.int16)
    assert cut(song)[0].digest == cut(song, format="FLAC")[0].digest
    assert cut(song)[0].digest != cut(song[::-1])[0].digest


@pytest.mark.parametrize(
    ("song", "reason"),
    [
        (noise(0.9), r"0\.9 s long, shorter than --shortest 1"),
        (np.zeros(8000), "silent"),
        (noise(2) * 32768, r"samples far above full scale \(RMS 7\.\d+e\+03\), expected -1 to 1"),
        (np.where(np.arange(8000) == 7, np.nan, 0.1), "samples that are not finite"),
    ],
)
def test_a_song_that_can_not_be_used_says_why(cut, song, reason):
    with pytest.raises(BadSongError, match=f"^{reason}$"):
        cut(song, subtype="FLOAT")


def test_what_ffmpeg_decodes_is_cut_too(cut, tmp_path, monkeypatch):
    expected, _ = cut(noise(4.0), subtype="PCM_16")
    content = f"open({str(tmp_path / 'song.wav')!r}, 'rb').read()"
    monkeypatch.setenv(
        "PATH", write_ffmpeg(tmp_path, f"import sys; sys.stdout.buffer.write({content})")
    )
    (tmp_path / "song.m4a").write_bytes(b"\0\0\0\x18ftypM4A ")
    assert cut_song(tmp_path / "song.m4a", "0/other", tmp_path, SETTINGS).digest == expected.digest
    write_ffmpeg(tmp_path, "raise SystemExit(1)")
    with pytest.raises(BadSongError, match=r"^MP4 audio .* that ffmpeg can't decode$"):
        cut_song(tmp_path / "song.m4a", "0/other", tmp_path, SETTINGS)


def test_a_song_that_breaks_off_says_where(cut, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path / "none"))
    path = tmp_path / "song.flac"
    soundfile.write(path, noise(9.0), 4000)
    path.write_bytes(path.read_bytes()[:-20_000])
    with pytest.raises(BadSongError, match=r"^decoding fails after about \d s"):
        cut_song(path, "0/song", tmp_path, SETTINGS)
    soundfile.write(tmp_path / "song.ogg", noise(2.0), 4000)
    (tmp_path / "song.ogg").write_bytes((tmp_path / "song.ogg").read_bytes() * 2)
    with pytest.raises(BadSongError, match=r"^not decoded to its end: another stream begins"):
        cut_song(tmp_path / "song.ogg", "0/song", tmp_path, SETTINGS)
    path.write_bytes(b"no audio")
    with pytest.raises(BadSongError, match=r"^no audio format is recognised$"):
        cut_song(path, "0/song", tmp_path, SETTINGS)
