import multiprocessing
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from autotagging.common.errors import UserError
from autotagging.tagging.audio_hash import audio_sha256
from autotagging.tagging.bundle import load_tagger
from autotagging.tagging.pool import Work, Worker, tag_songs
from autotagging.tagging.songs import tag_song
from bundles import tone, write_bundle, write_ffmpeg, write_song
from waiting import within

DIES_OR_HANGS = """
import os, pathlib, signal, sys, time
pathlib.Path(__file__).with_name(f"{os.getpid()}.pid").touch()
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
    decoders = [int(path.stem) for path in tmp_path.glob("*.pid")]
    assert len(decoders) == 2
    assert within(lambda: not any(map(is_running, decoders)))
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


def is_running(process):
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


RUN = """
import sys
from pathlib import Path
from autotagging.tagging.pool import Work, tag_songs
if __name__ == "__main__":
    list(tag_songs([Path(sys.argv[2])], Work(Path(sys.argv[1])), workers=1, timeout=600))
"""


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc")
def test_a_hung_decoder_ends_with_the_run(tmp_path, bundle):
    path = f"{write_ffmpeg(tmp_path, DIES_OR_HANGS)}"
    (tmp_path / "run.py").write_text(RUN)
    command = [sys.executable, tmp_path / "run.py", bundle, m4a(tmp_path / "hang.m4a")]
    run = subprocess.Popen(command, env={**os.environ, "PATH": path})
    assert within(lambda: [*tmp_path.glob("*.pid")], 60)
    (decoder,) = (int(path.stem) for path in tmp_path.glob("*.pid"))
    worker = int(Path(f"/proc/{decoder}/stat").read_text().rpartition(")")[2].split()[1])
    assert is_running(worker)
    run.kill()
    run.wait()
    assert within(lambda: not is_running(decoder) and not is_running(worker))


def kinds(results):
    return [result["error"]["type"] if "error" in result else None for result in results]


def test_the_other_processes_go_on_without_one_that_can_not_be_replaced(
    tmp_path, bundle, monkeypatch
):
    monkeypatch.setenv("PATH", write_ffmpeg(tmp_path, DIES_OR_HANGS))
    starts, start = [], Worker._start

    def start_twice(worker):
        starts.append(worker)
        if len(starts) > 2:
            raise UserError("no memory")
        start(worker)

    monkeypatch.setattr(Worker, "_start", start_twice)
    good = [write_song(tmp_path / f"{i}.flac", tone(3, 440)) for i in range(3)]
    songs = [m4a(tmp_path / "kill.m4a"), *good]
    results = dict(tag_songs(songs, Work(bundle), workers=2, timeout=60))
    assert kinds(results[song] for song in songs) == ["worker_died", None, None, None]


def test_without_any_process_the_songs_that_are_left_have_an_error(tmp_path, bundle, monkeypatch):
    monkeypatch.setenv("PATH", write_ffmpeg(tmp_path, DIES_OR_HANGS))
    model = shutil.copytree(bundle, tmp_path / "bundle")
    good = [write_song(tmp_path / f"{i}.flac", tone(3, 440)) for i in range(3)]
    songs = [good[0], m4a(tmp_path / "kill.m4a"), *good[1:]]
    run = tag_songs(songs, Work(model), workers=1, timeout=60)
    results = [next(run)]
    shutil.rmtree(model)
    results += run
    assert [song for song, _ in results] == songs
    assert kinds(result for _, result in results) == [None, *["worker_died"] * 3]
    assert str(model) in results[-1][1]["error"]["message"]


def wait_for_result(worker):
    while True:
        worker.wait(60, at_most=60)
        if result := worker.result(60):
            return result


def test_a_process_that_dies_while_it_loads_is_started_three_times(tmp_path, monkeypatch):
    starts, start = [], Worker._start

    def start_and_die(worker):
        starts.append(worker)
        start(worker)
        worker.process.kill()

    monkeypatch.setattr(Worker, "_start", start_and_die)
    worker = Worker(Work(tmp_path), tmp_path / "song.flac")
    for total in (3, 6):  # it can be used again, and gives up again
        with pytest.raises(UserError, match="the process that loads it ended by signal SIGKILL"):
            wait_for_result(worker)
        assert len(starts) == total
        if total == 3:
            worker.go_on()
    worker.stop()


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
