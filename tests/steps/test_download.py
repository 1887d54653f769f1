"""Step download as a command."""

import errno
import hashlib
import io
import json
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest
import yaml

from autotagging import demo
from autotagging.common.locks import locked
from autotagging.common.versions import versions
from autotagging.steps.download import SYNTHESIS, Demo, _make_demo
from commands import (
    download,
)


def test_download_lists_clips_and_fingerprints_the_audio(small_corpus, tmp_path):
    out = tmp_path / "download"
    message = download(small_corpus, out)
    assert "5 clips, 1 of them missing, 1 empty" in message
    clips = pd.read_csv(out / "clips.csv")
    assert clips["clip_id"].tolist() == [2, 6, 10, 11, 15]
    assert clips["bytes"].isna().tolist() == [False] * 4 + [True]
    assert clips["crc32"].isna().tolist() == [False] * 4 + [True]
    content = (small_corpus / "0/clip-0-0-29.mp3").read_bytes()
    assert clips["crc32"].iloc[0] == zlib.crc32(content)
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


def test_download_compares_the_two_tables(small_corpus, tmp_path):
    path = small_corpus / "clip_info_final.csv"
    content = path.read_bytes()
    path.write_bytes(content.replace(b"1/clip-1", b"2/clip-1"))
    message = download(small_corpus, tmp_path / "out", code=2)
    assert "line 3: clip_id 6 has mp3_path 1/clip-1-0-29.mp3, but 2/clip-1-0-29.mp3 in" in message
    assert not (tmp_path / "out").exists()


def test_clips_of_unknown_groups_are_counted_and_have_empty_fields(small_corpus, tmp_path):
    path = small_corpus / "clip_info_final.csv"
    lines = path.read_bytes().splitlines(keepends=True)
    lines[2] = lines[2].replace(b'"A"', b'" "')
    path.write_bytes(b"".join(lines[:-2]))
    message = download(small_corpus, tmp_path / "out")
    assert "\n1 of 5 clips have no row in clip_info_final.csv: they belong to no track" in message
    assert "\n1 of 5 clips have a row in clip_info_final.csv without artist" in message
    assert (tmp_path / "out/groups.csv").read_text().splitlines()[:3] == [
        "clip_id,track,album,artist",
        "2,u/x#1,A/x,A",
        "6,u/x#1,,",
    ]


def test_download_offline_names_what_is_not_there(tmp_path, monkeypatch):
    monkeypatch.setenv("AUTOTAGGING_CORPORA", str(tmp_path))
    message = download("magnatagatune", tmp_path / "out", "--offline", code=2)
    assert message == (
        f"autotagging: {tmp_path}/magnatagatune: offline, and annotations_final.csv, "
        "clip_info_final.csv, mp3.zip.001, mp3.zip.002, mp3.zip.003 (or mp3.zip) missing; put "
        "them there, or run without --offline\n"
    )


def test_a_second_synthesis_waits_for_the_first_and_takes_its_corpus(tmp_path, monkeypatch):
    """The first one may be of a run that was killed, and has outlived it."""
    monkeypatch.setattr(demo.corpus, "make_clip", lambda *_, **__: (b"mp3", frozenset({"rock"})))
    folder, settings = tmp_path / "demo", Demo(demo_clips=20, demo_seed=0)
    with ThreadPoolExecutor() as others, monkeypatch.context() as patch:
        with locked(tmp_path / ".demo.lock", "the first"):
            second = others.submit(_make_demo, folder, settings, threads=1)
            made = {"clips": 20, "seed": 0, "synthesiser": demo.fingerprint()}
            made["versions"] = versions(*SYNTHESIS)
            demo.synthesise(folder, clips=20, seed=0, workers=1, receipt=made)
            patch.delattr(demo, "synthesise")
            assert not second.done()
        second.result()
    assert json.loads((folder / "demo.json").read_text(encoding="utf-8")) == made


def test_a_damaged_receipt_makes_the_demo_corpus_anew(tmp_path, monkeypatch):
    monkeypatch.setattr(demo.corpus, "make_clip", lambda *_, **__: (b"mp3", frozenset({"rock"})))
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo/demo.json").write_text('{"clips": 20, "se', encoding="utf-8")
    _make_demo(tmp_path / "demo", Demo(demo_clips=20, demo_seed=0), threads=1)
    assert (tmp_path / "demo/annotations_final.csv").exists()


def test_a_disk_that_is_full_during_synthesis_is_reported_with_the_corpus(tmp_path, monkeypatch):
    def fill(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(demo.corpus, "make_clip", lambda *_, **__: (b"mp3", frozenset({"rock"})))
    monkeypatch.setattr(zipfile.ZipFile, "writestr", fill)
    with pytest.raises(OSError, match="No space left on device") as error:
        _make_demo(tmp_path / "demo", Demo(demo_clips=20, demo_seed=0), threads=1)
    assert error.value.filename == str(tmp_path / "demo")
    assert list(tmp_path.iterdir()) == []


def test_audio_of_other_clips_is_refused(small_corpus, tmp_path):
    with zipfile.ZipFile(small_corpus / "mp3.zip", "w") as archive:
        archive.writestr("track 1.mp3", b"x")
    message = download(small_corpus, tmp_path / "out", code=2)
    assert message == (
        f"autotagging: {small_corpus}: none of the 5 clips in annotations_final.csv is there; the "
        "first file found is track 1.mp3, the first expected 0/clip-0-0-29.mp3\n"
    )
    assert not (tmp_path / "out").exists()


def describe(folder, tmp_path):
    """Describe a data set whose tables are those of a corpus, and whose archive is in two parts."""
    entries = []
    for name in ("annotations_final.csv", "clip_info_final.csv", "mp3.zip.001", "mp3.zip.002"):
        content = (folder / name).read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        entries.append({"name": name, "bytes": len(content), "sha256": digest})
    archive = (folder / "mp3.zip.001").read_bytes() + (folder / "mp3.zip.002").read_bytes()
    description = {
        "mirrors": ["http://127.0.0.1:9/"],
        "files": entries,
        "archive": {
            "name": "mp3.zip",
            "bytes": len(archive),
            "md5": hashlib.md5(archive).hexdigest(),
            "parts": ["mp3.zip.001", "mp3.zip.002"],
        },
    }
    path = tmp_path / "remote.yaml"
    path.write_text(yaml.safe_dump(description))
    return path, archive


def add_parts(folder):
    """Write the archive of the clips in a folder, in two parts."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for clip in sorted(folder.glob("?/*.mp3")):
            archive.write(clip, clip.relative_to(folder))
    content = buffer.getvalue()
    (folder / "mp3.zip.001").write_bytes(content[:100_000])
    (folder / "mp3.zip.002").write_bytes(content[100_000:])


def test_parts_stay_as_they_are_and_give_the_same_results_as_the_archive(
    small_corpus, tmp_path, monkeypatch
):
    monkeypatch.setenv("AUTOTAGGING_CORPORA", str(tmp_path))
    folder = small_corpus.rename(tmp_path / "magnatagatune")
    add_parts(folder)
    remote, archive = describe(folder, tmp_path)
    options = ("--remote", remote, "--offline")
    before = {path: path.read_bytes() for path in folder.glob("*.*")}
    folder.chmod(0o555)
    try:
        download("magnatagatune", tmp_path / "parts", *options)
    finally:
        folder.chmod(0o755)
    assert {path: path.read_bytes() for path in folder.glob("*.*")} == before
    for part in folder.glob("mp3.zip.*"):
        part.unlink()
    (folder / "mp3.zip").write_bytes(archive)
    download("magnatagatune", tmp_path / "whole", *options)
    for path in (tmp_path / "parts").iterdir():
        assert path.read_bytes() == (tmp_path / "whole" / path.name).read_bytes(), path.name
    assert json.loads((tmp_path / "whole/audio.json").read_text())["title"] == "magnatagatune"


def test_a_folder_with_the_published_tables_is_magnatagatune_in_own_files(small_corpus, tmp_path):
    add_parts(small_corpus)
    remote, _ = describe(small_corpus, tmp_path)
    for part in small_corpus.glob("mp3.zip.*"):
        part.unlink()

    def title(name):
        download(small_corpus, tmp_path / name, "--remote", remote)
        return json.loads((tmp_path / name / "audio.json").read_text())["title"]

    assert title("missing") == "magnatagatune (own files, 1 clip missing)"
    (small_corpus / "f").mkdir()
    (small_corpus / "f/clip-f-0-29.mp3").touch()
    assert title("whole") == "magnatagatune (own files)"
    table = small_corpus / "clip_info_final.csv"
    table.write_bytes(table.read_bytes().replace(b'"A"', b'"B"'))
    assert title("other") == "folder corpus"
