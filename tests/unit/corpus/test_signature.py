import os

import pytest

from autotagging.corpus.signature import audio_signature


def test_the_signature_changes_with_a_clip_and_with_nothing_else(small_corpus):
    before = audio_signature(str(small_corpus))
    assert len(before) == 64
    (small_corpus / "notes.txt").write_text("not audio")
    (small_corpus / "0/notes.txt").write_text("not audio")
    assert audio_signature(str(small_corpus)) == before
    clip = small_corpus / "0/clip-0-0-29.mp3"
    os.utime(clip, ns=(0, 1))  # the same size, another time
    changed = audio_signature(str(small_corpus))
    assert changed != before
    clip.rename(clip.with_name("clip-0-29-58.mp3"))
    renamed = audio_signature(str(small_corpus))
    assert renamed not in (before, changed)
    (small_corpus / "b/clip-b-0-29.mp3").write_bytes(b"x")
    edited = audio_signature(str(small_corpus))
    assert edited not in (before, changed, renamed)
    (small_corpus / "b/clip-b-29-58.flac").write_bytes(b"x")
    assert audio_signature(str(small_corpus)) not in (before, changed, renamed, edited)


def test_the_signature_of_an_archive_changes_with_each_part(tmp_path):
    for part in (1, 2):
        (tmp_path / f"mp3.zip.00{part}").write_bytes(b"part")
    before = audio_signature(str(tmp_path))
    os.utime(tmp_path / "mp3.zip.002", ns=(0, 1))
    assert audio_signature(str(tmp_path)) != before


@pytest.mark.parametrize("corpus", ["demo", "magnatagatune"])
def test_what_download_writes_itself_does_not_make_it_run_again(corpus, tmp_path, monkeypatch):
    monkeypatch.setenv("AUTOTAGGING_CORPORA", str(tmp_path))
    assert audio_signature(corpus) == ""
    (tmp_path / corpus).mkdir()
    (tmp_path / corpus / "mp3.zip").write_bytes(b"archive")
    assert audio_signature(corpus) == ""


def test_a_corpus_that_can_not_be_listed_has_an_empty_signature(tmp_path):
    assert audio_signature(str(tmp_path / "nowhere")) == audio_signature("/dev/null")
    (tmp_path / "mp3.zip.002").write_bytes(b"part")  # the first part is missing
    assert audio_signature(str(tmp_path)) == ""
    (tmp_path / "mp3.zip.002").unlink()
    (tmp_path / "0").mkdir()
    (tmp_path / "0/clip.mp3").symlink_to("clip.mp3")
    assert audio_signature(str(tmp_path)) != ""
