"""The command `verify`: one line for each faulty file, or OK."""

import contextlib
import json
import shutil
import zipfile

import pytest
import yaml

from autotagging.common.errors import UserError
from autotagging.corpus.audio import open_corpus
from autotagging.tools.verify import changes_since_download, verify

CLIP = "0/clip-0-0-29.mp3"


@pytest.fixture
def whole_corpus(small_corpus, monkeypatch):
    """The small corpus with the clip it lacks; the working folder has no results."""
    (small_corpus / "f").mkdir()
    shutil.copy(small_corpus / CLIP, small_corpus / "f/clip-f-0-29.mp3")
    monkeypatch.chdir(small_corpus.parent)
    return small_corpus


def verified(capsys, corpus, **options):
    """Verify; return the lines that are printed."""
    with contextlib.suppress(UserError):
        verify(corpus=str(corpus), **options)
    return capsys.readouterr().out.splitlines()


def archive(folder):
    with zipfile.ZipFile(folder / "mp3.zip", "w") as file:
        for clip in sorted(folder.glob("?/*.mp3")):
            file.write(clip, clip.relative_to(folder))
    for digit in folder.glob("?"):
        shutil.rmtree(digit)
    return folder / "mp3.zip"


def damage(path, position):
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)


def test_a_whole_corpus_is_ok_although_a_clip_is_empty(whole_corpus, capsys):
    assert verified(capsys, whole_corpus) == [f"{whole_corpus}: OK"]
    archive(whole_corpus)
    assert verified(capsys, whole_corpus) == [f"{whole_corpus}: OK"]


def test_every_faulty_file_of_a_folder_has_a_line(whole_corpus, capsys):
    (whole_corpus / CLIP).write_bytes(b"\0" * 5000)
    (whole_corpus / "1/clip-1-0-29.mp3").unlink()
    table = whole_corpus / "clip_info_final.csv"
    table.write_bytes(table.read_bytes()[:-2])
    assert verified(capsys, whole_corpus) == [
        f"{table}, line 7: the file ends inside this line; expected a line end; download it again",
        f"{whole_corpus}, {CLIP}: not_audio",
        f"{whole_corpus}, 1/clip-1-0-29.mp3: listed, but missing",
    ]


def test_a_clip_that_decodes_in_part_or_has_damaged_frames_has_a_line(whole_corpus, capsys):
    clip = whole_corpus / CLIP
    clip.write_bytes(clip.read_bytes()[:50_000] + bytes(2000))
    other = whole_corpus / "1/clip-1-0-29.mp3"
    other.write_bytes(other.read_bytes().replace(b"\n", b"\r\n"))
    first, second = verified(capsys, whole_corpus)
    assert first == f"{whole_corpus}, {CLIP}: an error after 12.5 decoded seconds"
    assert second.startswith(f"{whole_corpus}, 1/clip-1-0-29.mp3: ")
    assert second.endswith(" seconds of damaged frames")


def test_a_few_damaged_bytes_are_no_fault(whole_corpus, capsys):
    """Extraction takes such a clip as good."""
    clip = whole_corpus / CLIP
    content = clip.read_bytes()
    clip.write_bytes(content[:50_000] + content[50_003:])
    assert verified(capsys, whole_corpus) == [f"{whole_corpus}: OK"]


def test_tables_that_contradict_each_other_are_a_fault(whole_corpus, capsys):
    table = whole_corpus / "clip_info_final.csv"
    content = table.read_bytes()
    table.write_bytes(content.replace(b"0/clip-0", b"f/clip-0"))
    (line,) = verified(capsys, whole_corpus)
    assert "line 2: clip_id 2 has mp3_path 0/clip-0-0-29.mp3, but f/clip-0-0-29.mp3 in " in line
    assert "1 of 5 differ" in line


def test_clips_without_a_row_in_clip_info_are_counted(whole_corpus, capsys):
    table = whole_corpus / "clip_info_final.csv"
    lines = table.read_bytes().splitlines(keepends=True)
    table.write_bytes(b"".join([lines[0], *lines[3:]]))
    assert verified(capsys, whole_corpus) == [
        f"{whole_corpus}: 2 of 5 clips have no row in clip_info_final.csv: they belong to no "
        "track, album or artist",
        f"{whole_corpus}: OK",
    ]


def test_a_flipped_bit_in_the_archive_is_found(whole_corpus, capsys):
    damage(archive(whole_corpus), 50_000)
    assert verified(capsys, whole_corpus) == [f"{whole_corpus}, {CLIP}: undecodable"]


def test_an_archive_without_its_end_is_found(whole_corpus, capsys):
    path = archive(whole_corpus)
    path.write_bytes(path.read_bytes()[:-100])
    (line,) = verified(capsys, whole_corpus)
    assert "mp3.zip is not a whole zip" in line


def test_audio_and_tables_are_those_which_download_saw(whole_corpus, capsys):
    results = whole_corpus.parent / "results/download"
    results.mkdir(parents=True)
    tables = ("annotations_final.csv", "clip_info_final.csv")
    for name in tables:
        shutil.copy(whole_corpus / name, results)
    seen = {"corpus": str(whole_corpus), **open_corpus(whole_corpus).fingerprint()}
    (results / "audio.json").write_text(json.dumps(seen))
    assert verified(capsys, whole_corpus) == [f"{whole_corpus}: OK"]
    damage(whole_corpus / CLIP, 50_000)
    (line,) = verified(capsys, whole_corpus)
    assert "not the audio of results/download/audio.json" in line
    (results / tables[1]).write_text("an earlier table")
    assert changes_since_download(str(whole_corpus))[1:] == [
        f"{whole_corpus}: clip_info_final.csv is not results/download/clip_info_final.csv"
    ]
    seen["corpus"] = "demo"
    (results / "audio.json").write_text(json.dumps(seen))
    assert verified(capsys, whole_corpus) == [f"{whole_corpus}: OK"]


def test_a_corpus_that_is_not_there_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("AUTOTAGGING_CORPORA", str(tmp_path))
    with pytest.raises(UserError, match=f"corpus demo: {tmp_path}/demo is not a folder"):
        verify(corpus="demo")


@pytest.fixture
def published(tmp_path, monkeypatch):
    """A folder with files like MagnaTagATune's, and their description."""
    monkeypatch.setenv("AUTOTAGGING_CORPORA", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "magnatagatune"
    folder.mkdir()
    (folder / "annotations_final.csv").write_bytes(b"one table")
    (folder / "mp3.zip").write_bytes(b"abc")
    files = {
        "annotations_final.csv": "1f1dadef43472328421ec631378162b9eddfaf7c4c201f3ca95f68b4e59d9672",
        "mp3.zip.001": "fb8e20fc2e4c3f248c60c39bd652f3c1347298bb977b8b4d5903b85055620603",
        "mp3.zip.002": "2e7d2c03a9507ae265ecf5b5356885a53393a2029d241394997265a1a25aefc6",
    }
    sizes = {"annotations_final.csv": 9, "mp3.zip.001": 2, "mp3.zip.002": 1}
    description = {
        "mirrors": ["http://127.0.0.1:9/"],
        "files": [{"name": n, "bytes": sizes[n], "sha256": files[n]} for n in files],
        "archive": {
            "name": "mp3.zip",
            "bytes": 3,
            "md5": "900150983cd24fb0d6963f7d28e17f72",
            "parts": ["mp3.zip.001", "mp3.zip.002"],
        },
    }
    (tmp_path / "remote.yaml").write_text(yaml.safe_dump(description))
    return folder


def test_published_files_are_hashed(published, capsys, tmp_path):
    remote = tmp_path / "remote.yaml"
    assert verified(capsys, "magnatagatune", remote=remote) == [f"{published}: OK"]
    (published / "mp3.zip").write_bytes(b"abd")
    (published / "annotations_final.csv").write_bytes(b"one tabl")
    assert verified(capsys, "magnatagatune", remote=remote) == [
        f"{published}/annotations_final.csv: 8 bytes, expected 9",
        f"{published}/mp3.zip: wrong md5, expected 900150983cd24fb0d6963f7d28e17f72",
    ]
    (published / "annotations_final.csv").write_bytes(b"one table")
    (published / "mp3.zip").rename(published / "mp3.zip.001")
    (published / "mp3.zip.001").write_bytes(b"ab")
    assert verified(capsys, "magnatagatune", remote=remote) == [f"{published}/mp3.zip.002: missing"]
    (published / "mp3.zip.002").write_bytes(b"c")
    assert verified(capsys, "magnatagatune", remote=remote) == [f"{published}: OK"]


def test_unpacked_clips_instead_of_the_archive_are_named(published, capsys, tmp_path):
    (published / "mp3.zip").rename(published / "mp3.zip.002")
    (published / "mp3/0").mkdir(parents=True)
    (published / "mp3/0/a.mp3").write_bytes(b"clip")
    assert verified(capsys, "magnatagatune", remote=tmp_path / "remote.yaml") == [
        f"unpacked clips found in {published}/mp3; set corpus: {published} to use them, or move "
        "them away to download the archive"
    ]
