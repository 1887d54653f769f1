import gzip
import shutil
import zipfile

import numpy as np
import pytest

from autotagging.corpus import (
    BadClipError,
    corpus_folder,
    open_corpus,
    read_annotations,
    read_clip_info,
)
from autotagging.errors import UserError
from conftest import write_mp3

CLIP = "0/clip-0-0-29.mp3"


def zip_audio(folder, *, parts, prefix=""):
    """Replace a corpus's folders of clips by an archive cut into so many parts."""
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
    [(b"", "empty"), (b"\0" * 5000, "undecodable"), (b"<html>no</html>", "undecodable")],
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


def test_tables_may_be_gzipped(small_corpus):
    plain = small_corpus / "annotations_final.csv"
    zipped = small_corpus / "annotations_final.csv.gz"
    zipped.write_bytes(gzip.compress(plain.read_bytes()))
    assert read_annotations(zipped).equals(read_annotations(plain))


def test_a_track_is_a_url_with_a_number(small_corpus):
    info = read_clip_info(small_corpus / "clip_info_final.csv").set_index("clip_id")
    assert info.loc[2, "track"] == info.loc[6, "track"] != info.loc[10, "track"]
    assert info["album"].nunique() == 3
    assert info["artist"].nunique() == 2


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"11"\t"0"\t', '"11"\t', "line 5: tag 'harp' is 'b/clip-b-0-29.mp3', expected 0 or 1"),
        ('"mp3_path"', '"path"', "no column 'mp3_path'"),
        ('"2"\t"1"', '"2"\t"yes"', "line 2: tag 'beat' is 'yes', expected 0 or 1"),
        ('"6"\t', '"2"\t', "clip_id 2 stands twice"),
        ('"6"\t', '"six"\t', "line 3: clip_id is not a whole number"),
        ("1/clip-1", "../clip-1", "line 3: mp3_path '../clip-1-0-29.mp3'"),
        ("1/clip-1", "0/clip-0", "mp3_path 0/clip-0-0-29.mp3 stands twice"),
    ],
)
def test_faults_of_the_annotations_are_named(small_corpus, old, new, message):
    path = small_corpus / "annotations_final.csv"
    content = path.read_bytes().decode()
    assert old in content
    path.write_bytes(content.replace(old, new).encode())
    with pytest.raises(UserError, match=message):
        read_annotations(path)


def test_names_are_below_the_corpora_and_paths_are_themselves(monkeypatch, tmp_path):
    monkeypatch.setenv("AUTOTAGGING_CORPORA", str(tmp_path))
    assert corpus_folder("demo") == tmp_path / "demo"
    assert str(corpus_folder("../music")) == "../music"


def test_the_official_tables(magnatagatune):
    annotations = read_annotations(magnatagatune / "annotations_final.csv.gz")
    info = read_clip_info(magnatagatune / "clip_info_final.csv.gz")
    assert annotations.shape == (25863, 190)
    assert len(info) == 31382
    annotated = info[info["clip_id"].isin(annotations["clip_id"])]
    assert annotated["artist"].nunique() == 230
    assert annotated["album"].nunique() == 446
    assert annotated["track"].nunique() == 5405


def test_the_real_clip(magnatagatune):
    corpus = open_corpus(magnatagatune)
    (clip,) = corpus.sizes()
    waveform = corpus.waveform(clip, sample_rate=16_000)
    assert corpus.sizes()[clip] == 117_213
    assert len(waveform) == 465_984
