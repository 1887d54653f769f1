import multiprocessing

import pytest

from autotagging.common.errors import UserError
from autotagging.tagging.audio_hash import audio_sha256
from autotagging.tagging.bundle import load_tagger
from autotagging.tagging.songs import tag_song
from autotagging.tagging.workers import Work, tag_songs
from bundles import tone, write_bundle, write_ffmpeg, write_song

DIES_OR_HANGS = """
import os, signal, sys, time
if "kill" in sys.argv[sys.argv.index("-i") + 1]:
    os.kill(os.getppid(), signal.SIGKILL)
time.sleep(600)
"""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return write_bundle(tmp_path_factory.mktemp("bundle"))


def m4a(path):
    path.write_bytes(b"\0\0\0\x18ftypM4A ")
    return path


def test_no_file_ends_the_run(tmp_path, bundle, monkeypatch):
    """A decoder that hangs, one that ends its process, and bad files between good ones."""
    monkeypatch.setenv("PATH", write_ffmpeg(tmp_path, DIES_OR_HANGS))
    good = [write_song(tmp_path / f"{i}.flac", tone(3, 440)) for i in range(3)]
    text = tmp_path / "text.mp3"
    text.write_text("text")
    songs = [good[0], m4a(tmp_path / "hang.m4a"), text, m4a(tmp_path / "kill.m4a"), *good[1:]]
    results = dict(tag_songs(songs, Work(bundle), workers=2, timeout=3))
    assert results.keys() == {*songs}
    errors = {song.name: r["error"] for song, r in results.items() if "error" in r}
    assert {name: error["type"] for name, error in errors.items()} == {
        "hang.m4a": "timeout",
        "text.mp3": "not_audio",
        "kill.m4a": "worker_died",
    }
    assert errors["hang.m4a"]["message"] == "nothing was decoded and scored for 3 s"
    assert errors["kill.m4a"]["message"].startswith(
        "the process that read it ended by signal SIGKILL"
    )
    expected = tag_song(good[0], load_tagger(bundle))
    status = good[0].stat()
    assert results[good[0]] == {
        "path": str(good[0]),
        "audio_sha256": audio_sha256(good[0]),
        "bytes": status.st_size,
        "mtime_ns": status.st_mtime_ns,
        "model": "d" * 64,
        **expected,
    }


def test_known_audio_is_not_decoded(tmp_path, bundle):
    song = write_song(tmp_path / "song.flac", tone(3, 440))
    work = Work(bundle, known=frozenset([audio_sha256(song)]))
    ((_, result),) = tag_songs([song], work, workers=1, timeout=60)
    assert result["known"]
    assert "scores" not in result


def test_a_model_that_can_not_be_loaded_ends_the_run(tmp_path):
    with pytest.raises(UserError, match="neither a bundle"):
        list(tag_songs([tmp_path / "song.mp3"], Work(tmp_path), workers=1, timeout=60))


def test_processes_end_with_the_run(tmp_path, bundle):
    songs = [write_song(tmp_path / f"{i}.flac", tone(3, 440)) for i in range(4)]
    before = {*multiprocessing.active_children()}  # of other tests
    run = tag_songs(songs, Work(bundle), workers=2, timeout=60)
    next(run)
    assert {*multiprocessing.active_children()} > before
    run.close()
    assert {*multiprocessing.active_children()} <= before
