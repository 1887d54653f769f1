import contextlib
import shutil
import zipfile

import numpy as np
import pytest

from autotagging.common.errors import UserError
from autotagging.corpus.audio import open_corpus
from autotagging.corpus.containers import BadClipError
from autotagging.corpus.paths import corpus_folder, corpus_title
from conftest import write_mp3

CLIP = "0/clip-0-0-29.mp3"


def zip_audio(folder, *, parts, prefix=""):
    """Replace a corpus's folders of clips by an archive in several parts."""
    whole = folder / "mp3.zip"
    with zipfile.ZipFile(whole, "w") as archive:
        for clip in sorted(folder.glob("?/*.mp3")):
            archive.write(clip, prefix + clip.relative_to(folder).as_posix())
    for digit in folder.glob("?"):
        shutil.rmtree(digit)
    if parts > 1:
        content = whole.read_bytes()
        size = len(content) // parts + 1
        for part in range(parts):
            (folder / f"mp3.zip.{part + 1:03}").write_bytes(
                content[part * size : (part + 1) * size]
            )
        whole.unlink()


def test_folder_archive_and_parts_give_the_same_clips(small_corpus):
    from_folder = open_corpus(small_corpus)
    sizes, waveform = from_folder.sizes(), from_folder.waveform(CLIP, sample_rate=12_000)
    assert len(sizes) == 4
    assert sizes["b/clip-b-0-29.mp3"] == 0
    for parts, prefix in ((1, ""), (3, "mp3/")):
        copy = small_corpus.with_name(f"copy-{parts}")
        shutil.copytree(small_corpus, copy)
        zip_audio(copy, parts=parts, prefix=prefix)
        corpus = open_corpus(copy)
        assert corpus.sizes() == sizes
        np.testing.assert_array_equal(corpus.waveform(CLIP, sample_rate=12_000), waveform)


def test_waveform_is_as_long_as_what_was_decoded(small_corpus):
    waveform = open_corpus(small_corpus).waveform(CLIP, sample_rate=12_000)
    assert waveform.dtype == np.float32
    assert len(waveform) / 12_000 == pytest.approx(29.124, abs=0.001)


def test_channels_are_averaged(small_corpus):
    stereo = np.stack([np.full(48_000, 0.5), np.full(48_000, -0.5)], axis=1)
    write_mp3(small_corpus / CLIP, stereo, 16_000)
    waveform = open_corpus(small_corpus).waveform(CLIP, sample_rate=12_000)
    assert np.abs(waveform).max() < 0.05


@pytest.mark.parametrize(
    ("content", "status"),
    [(b"", "empty"), (b"\0" * 5000, "not_audio"), (b"<html>no</html>", "not_audio")],
)
def test_bad_clips_have_a_reason(small_corpus, content, status):
    (small_corpus / CLIP).write_bytes(content)
    with pytest.raises(BadClipError, match=status):
        open_corpus(small_corpus).waveform(CLIP, sample_rate=12_000)


def test_a_clip_that_is_not_there_is_missing(small_corpus):
    with pytest.raises(BadClipError, match="missing"):
        open_corpus(small_corpus).waveform("f/clip-f-0-29.mp3", sample_rate=12_000)


def test_a_damaged_archive_is_named(small_corpus):
    zip_audio(small_corpus, parts=3)
    (small_corpus / "mp3.zip.003").unlink()
    with pytest.raises(UserError, match=r"mp3\.zip\.001, mp3\.zip\.002 is not a whole zip"):
        open_corpus(small_corpus)


def test_a_folder_without_audio_is_refused(tmp_path):
    with pytest.raises(UserError, match="no audio"):
        open_corpus(tmp_path)


def test_fingerprint_follows_the_content(small_corpus):
    before = open_corpus(small_corpus).fingerprint()
    assert open_corpus(small_corpus).fingerprint() == before
    clip = small_corpus / CLIP
    content = bytearray(clip.read_bytes())
    content[5000] ^= 1
    clip.write_bytes(content)
    after = open_corpus(small_corpus).fingerprint()
    assert after["bytes"] == before["bytes"]
    assert after["sha256"] != before["sha256"]


@pytest.mark.parametrize("parts", [0, 1])
def test_a_path_that_leaves_the_corpus_is_refused_before_anything_is_opened(small_corpus, parts):
    if parts:
        zip_audio(small_corpus, parts=parts)
    corpus = open_corpus(small_corpus)
    for mp3_path in (
        "../clip-0-0-29.mp3",
        "/etc/passwd.mp3",
        "0/../../x.mp3",
        "0\\clip-0-0-29.mp3",
        "C:/clip-0-0-29.mp3",
        "0/clip\0.mp3",
        "0/clip-0-0-29.mp3\n",
    ):
        with pytest.raises(UserError, match=r"is not like 0/name\.mp3; nothing was opened"):
            corpus.waveform(mp3_path, sample_rate=12_000)


@pytest.mark.parametrize("linked", [CLIP, "0"])
def test_a_link_that_leaves_the_corpus_is_refused(small_corpus, linked):
    outside = small_corpus.with_name("outside")
    (small_corpus / linked).rename(outside)
    (small_corpus / linked).symlink_to(outside)
    corpus = open_corpus(small_corpus)
    message = f"corpus/{linked}: a link that leaves the corpus"
    with pytest.raises(UserError, match=message):
        corpus.sizes()
    with pytest.raises(UserError, match="a link that leaves the corpus"):
        corpus.waveform(CLIP, sample_rate=12_000)


def test_a_link_within_the_corpus_and_a_corpus_that_is_a_link_are_followed(small_corpus):
    (small_corpus / "f").symlink_to(small_corpus / "0")
    (small_corpus / "1/clip-1-0-29.mp3").unlink()
    (small_corpus / "1/clip-1-0-29.mp3").symlink_to("../0/clip-0-0-29.mp3")
    link = small_corpus.with_name("link")
    link.symlink_to(small_corpus)
    sizes = open_corpus(link).sizes()
    assert sizes["f/clip-0-0-29.mp3"] == sizes["1/clip-1-0-29.mp3"] == sizes[CLIP] > 100_000
    assert len(open_corpus(link).waveform("f/clip-0-0-29.mp3", sample_rate=100)) == 2912


def test_names_in_an_archive_that_leave_it_are_no_clips(small_corpus):
    zip_audio(small_corpus, parts=1)
    with zipfile.ZipFile(small_corpus / "mp3.zip", "a") as archive:
        for name in ("../0/x.mp3", "/0/x.mp3", "mp3/../0/x.mp3", "0/../x.mp3", "0/x.txt"):
            archive.writestr(name, b"x")
    assert sorted(open_corpus(small_corpus).sizes()) == [
        CLIP,
        "1/clip-1-0-29.mp3",
        "a/clip-a-0-29.mp3",
        "b/clip-b-0-29.mp3",
    ]


def test_a_clip_that_fails_the_checksum_of_the_archive_is_undecodable(small_corpus):
    zip_audio(small_corpus, parts=1)
    path = small_corpus / "mp3.zip"
    content = bytearray(path.read_bytes())
    content[50_000] ^= 1
    path.write_bytes(content)
    with pytest.raises(BadClipError, match="undecodable"):
        open_corpus(small_corpus).waveform(CLIP, sample_rate=12_000)


def test_names_are_below_the_corpora_and_paths_are_themselves(monkeypatch, tmp_path):
    monkeypatch.setenv("AUTOTAGGING_CORPORA", str(tmp_path))
    assert corpus_folder("demo") == tmp_path / "demo"
    assert str(corpus_folder("../music")) == "../music"
    assert str(corpus_folder("~/music")).startswith("/")
    (tmp_path / "my-music").mkdir()
    assert corpus_folder("my-music") == tmp_path / "my-music"


def test_a_folder_never_passes_for_the_demo_or_magnatagatune():
    assert corpus_title("magnatagatune") == "magnatagatune"
    assert corpus_title("/data/magnatagatune/") == "folder magnatagatune"


def test_the_real_clip(magnatagatune):
    corpus = open_corpus(magnatagatune)
    (clip,) = corpus.sizes()
    waveform = corpus.waveform(clip, sample_rate=16_000)
    assert corpus.sizes()[clip] == 117_213
    assert len(waveform) == 465_984


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_an_archive_with_a_flipped_byte_anywhere_never_ends_in_a_traceback(small_corpus, method):
    path = small_corpus / "mp3.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.write(small_corpus / CLIP, CLIP)
    for digit in small_corpus.glob("?"):
        shutil.rmtree(digit)
    content = path.read_bytes()
    rng = np.random.default_rng(0)
    # Most bytes are audio; the headers are at both ends.
    places = [*range(80), *rng.integers(80, len(content), 10), *range(-130, 0)]
    for place in places:
        damaged = bytearray(content)
        damaged[place] ^= 1 << rng.integers(8)
        path.write_bytes(damaged)
        with contextlib.suppress(BadClipError, UserError):
            open_corpus(small_corpus).decode(CLIP, longest=1)
