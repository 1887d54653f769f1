"""The command `tag`, in this process but for its workers; see also tagging/test_light.py."""

import json
import os
from pathlib import Path

import pytest

from autotagging.common.errors import UserError
from autotagging.tagging.trained import default_model
from autotagging.tools.tag import tag
from bundles import tone, write_bundle, write_song


@pytest.fixture
def bundle(tmp_path):
    return write_bundle(tmp_path / "bundle")


def test_songs_are_shown_with_their_tags(tmp_path, bundle, capsys):
    tag([write_song(tmp_path / "low.wav", tone(3, 440))], model=bundle, top=1)
    shown, message = capsys.readouterr()
    assert shown == (
        f"{tmp_path}/low.wav  0:00:03  low\n  * low  █████████████·······  0.67  threshold 0.60\n"
    )
    assert message.endswith("1 tagged\n")


def test_a_model_without_thresholds_says_so(tmp_path, capsys):
    bundle = write_bundle(tmp_path / "bundle", thresholds={})
    tag([write_song(tmp_path / "low.wav", tone(3, 440))], model=bundle)
    shown, message = capsys.readouterr()
    assert "  * low   █████████████·······  0.67  threshold 0.50\n" in shown
    assert message.startswith(
        f"warning: {bundle}: no thresholds of its tags are known, so that all are 0.5; "
        "`autotagging export --per-tag` adds those of a per_tag.csv\n"
    )


def test_only_songs_that_have_changed_are_tagged_again(tmp_path, bundle, capsys):
    results = tmp_path / "songs.jsonl"
    music = tmp_path / "music"
    for number in range(3):
        write_song(music / f"{number}.wav", tone(3, 440 * (number + 1)))

    def run(message):
        tag([music], model=bundle, json=results)
        assert capsys.readouterr().err.endswith(f"{message}\n")
        lines = map(json.loads, results.read_text().splitlines())
        return {os.path.basename(line["path"]): line for line in lines}  # the last one of each

    first = run("3 tagged")
    assert run("0 tagged, 3 unchanged") == first
    os.utime(music / "0.wav", ns=(1, 1))
    write_song(music / "1.wav", tone(3, 5000))
    (music / "2.wav").rename(music / "3.wav")
    second = run("1 tagged, 2 unchanged")
    assert second["0.wav"] == {**first["0.wav"], "mtime_ns": 1}
    assert second["1.wav"]["scores"] != first["1.wav"]["scores"]
    assert second["3.wav"]["scores"] == first["2.wav"]["scores"]
    assert results.read_text().count("\n") == 6


def test_a_plan_and_playlists_are_written_and_no_file_changes(tmp_path, bundle, capsys):
    song = write_song(tmp_path / "music/low.flac", tone(3, 440))
    before = song.read_bytes()
    mapping = tmp_path / "mapping.toml"
    mapping.write_text('[tags]\nlow = { mood = "Deep" }\nnone = { mood = "None" }\n')
    tag([song], model=bundle, plan=tmp_path / "plan.jsonl", mapping=mapping, m3u=tmp_path / "lists")
    assert song.read_bytes() == before
    (line,) = (tmp_path / "plan.jsonl").read_text().splitlines()
    planned = json.loads(line)
    assert planned["path"] == str(song)
    assert planned["mood"] == {"old": [], "new": ["Deep"]}
    playlist = (tmp_path / "lists/low.m3u8").read_text().splitlines()
    assert playlist[-1] == "../music/low.flac"
    message = capsys.readouterr().err
    assert "warning: --mapping: the model has no tag 'none'\n" in message
    plan = tmp_path / "plan.jsonl"
    assert f"{plan}: changes of 1 file; `autotagging apply {plan}` writes them\n" in message


def test_a_usage_error_names_the_flag(tmp_path, bundle):
    song = write_song(tmp_path / "song.wav", tone(3, 440))
    for flags, message in (
        ({"hop": 3.0}, "--hop 3: expected 0.01 to 2 seconds, the length of a window"),
        ({"hop": 1e-9}, "--hop 1e-09: expected 0.01 to 2 seconds"),
        ({"hop": 0.0}, "--hop 0: expected"),
        ({"csv": song}, r"--csv .*song\.wav: the name of an audio file"),
        ({"excerpts": 0}, "--excerpts 0: expected 1 or more"),
        ({"excerpts": 1, "hop": 1.0}, "--excerpts and --hop exclude each other"),
        ({"workers": 0}, "--workers 0: expected 1 or more"),
        ({"timeout": 0.0}, "--timeout 0: expected more than 0 seconds"),
        ({"timeout": 1e308}, r"--timeout 1e\+308: expected .* at most 86,400, a day"),
        ({"existing": "add"}, "--mapping and --existing need --plan"),
        ({"top": -1}, "--top -1: expected 0 or more"),
    ):
        with pytest.raises(UserError, match=message):
            tag([song], model=bundle, **flags)


def test_the_largest_numbers_of_flags_are_no_limit(tmp_path, bundle, capsys):
    song = write_song(tmp_path / "low.wav", tone(3, 440))
    many = 10**400
    tag([song], model=bundle, timeout=86_400.0, top=many, workers=many, excerpts=many)
    assert "high  " in capsys.readouterr().out


def test_an_output_never_replaces_a_file_of_another_kind(tmp_path, bundle):
    song = write_song(tmp_path / "song.flac", tone(3, 440))
    notes = tmp_path / "notes.txt"
    notes.write_text("mine\n")
    link = tmp_path / "link.jsonl"
    link.symlink_to(song)
    before = song.read_bytes()
    for flags, message in (
        ({"plan": song}, r"--plan .*song\.flac: the name of an audio file"),
        ({"json": tmp_path / "new.MP3"}, r"--json .*new\.MP3: the name of an audio file"),
        ({"plan": link}, r"--plan .*link\.jsonl: a file that is read; name another one"),
        ({"csv": bundle / "bundle.json"}, r"--csv .*bundle\.json: a file that is read; name ano"),
        ({"json": bundle / "model.onnx"}, r"--json .*model\.onnx: a file that is read; name ano"),
        ({"plan": notes}, r"--plan .*notes\.txt: a file that is no plan; name another one"),
        ({"json": notes}, r"notes\.txt: line 1 is no result of `autotagging tag`"),
        ({"m3u": notes}, r"--m3u .*notes\.txt: not a folder"),
        (
            {"csv": tmp_path / "a/../out", "plan": tmp_path / "out"},
            r"--csv and --plan have the same file, .*/out",
        ),
    ):
        with pytest.raises(UserError, match=message):
            tag([song], model=bundle, **flags)
    assert song.read_bytes() == before
    assert notes.read_text() == "mine\n"


def test_an_output_is_never_a_folder_or_a_device(tmp_path, bundle, monkeypatch):
    monkeypatch.chdir(tmp_path)
    song, fifo = write_song(tmp_path / "song.wav", tone(3, 440)), tmp_path / "fifo"
    os.mkfifo(fifo)
    (tmp_path / "link").symlink_to(fifo)
    (tmp_path / "loop").symlink_to("loop")
    before = {*tmp_path.iterdir()}
    found = dict.fromkeys((Path("."), Path(".."), Path("/"), bundle), "Is a directory")
    found |= dict.fromkeys((fifo, tmp_path / "link"), "not a regular file")
    for path, what in found.items():
        for flag in ("json", "csv", "plan"):
            with pytest.raises(UserError) as raised:
                tag([song], model=bundle, **{flag: path})
            assert str(raised.value) == f"--{flag} {path}: {what}; name another file"
    for flag in ("jams", "m3u"):
        for path in (fifo, tmp_path / "loop"):
            with pytest.raises(UserError, match=f"--{flag} {path}: not a folder"):
                tag([song], model=bundle, **{flag: path})
    assert {*tmp_path.iterdir()} == before
    assert fifo.is_fifo()


def test_a_plan_is_replaced_by_a_new_one(tmp_path, bundle):
    song = write_song(tmp_path / "song.flac", tone(3, 440))
    plan = tmp_path / "plan.jsonl"
    plan.touch()
    tag([song], model=bundle, plan=plan)
    first = plan.read_bytes()
    assert json.loads(first)["genre"] == {"old": [], "new": ["Low"]}
    tag([song], model=bundle, plan=plan)
    assert plan.read_bytes() == first


def test_a_plan_of_a_model_without_categories(tmp_path, capsys):
    bundle = write_bundle(tmp_path / "bundle", categories={})
    song = write_song(tmp_path / "song.flac", tone(3, 440))
    plan, mapping = tmp_path / "plan.jsonl", tmp_path / "mapping.toml"
    tag([song], model=bundle, plan=plan)
    assert plan.read_bytes() == b""
    message = capsys.readouterr().err
    assert "warning: the plan will be empty: no tag of the model is kn" in message
    assert f"{plan}: changes of 0 files\n" in message
    mapping.write_text('[tags]\nlow = { genre = "Deep" }\n')
    tag([song], model=bundle, plan=plan, mapping=mapping)
    assert json.loads(plan.read_bytes())["genre"]["new"] == ["Deep"]
    assert "warning" not in capsys.readouterr().err


def test_names_of_files_can_not_change_the_terminal(tmp_path, capsys):
    bundle = write_bundle(tmp_path / "bundle\x1b[31m", thresholds={})
    song = write_song(tmp_path / "song\x1b[31m.flac", tone(3, 440))
    tag([song], model=bundle, plan=tmp_path / "plan\x1b[31m")
    tag([song], model=bundle)
    shown = "".join(capsys.readouterr())
    assert all(line.isprintable() for line in shown.splitlines())
    for name in ("bundle", "song", "plan"):
        assert f"{name}\ufffd[31m" in shown


def test_a_missing_song_is_an_error_among_others(tmp_path, bundle, capsys):
    song = write_song(tmp_path / "song.wav", tone(3, 440))
    with pytest.raises(SystemExit) as end:
        tag([tmp_path / "gone.wav", song], model=bundle)
    assert end.value.code == 1
    shown, message = capsys.readouterr()
    assert f"{song}  0:00:03  low" in shown
    assert f"{tmp_path}/gone.wav: missing: there is no such file\n" in message


def test_a_link_to_itself_is_an_error_among_others(tmp_path, bundle, capsys):
    song, loop = write_song(tmp_path / "music/low.wav", tone(3, 440)), tmp_path / "music/loop.wav"
    loop.symlink_to(loop.name)
    results, plan = tmp_path / "songs.jsonl", tmp_path / "plan.jsonl"
    for counts in ("1 tagged", "0 tagged, 1 unchanged"):
        with pytest.raises(SystemExit) as end:
            tag([song.parent], model=bundle, json=results, plan=plan, m3u=tmp_path / "lists")
        assert end.value.code == 1
        message = capsys.readouterr().err
        assert f"{loop}: unreadable: Too many levels of symbolic links\n" in message
        assert message.endswith(f"{counts}, 1 failed (1 unreadable)\n")
        assert plan.read_text().count("\n") == 1


def test_two_songs_of_one_name_can_not_have_a_jams_file_each(tmp_path, bundle):
    songs = [write_song(tmp_path / folder / "song.wav", tone(3, 440)) for folder in "ab"]
    with pytest.raises(UserError, match=r"would have the same JAMS file, song\.wav\.jams"):
        tag(songs, model=bundle, jams=tmp_path / "jams")


def test_a_jams_file_that_can_not_be_written_keeps_no_other_output_back(tmp_path, bundle, capsys):
    music = tmp_path / "music"
    long = "a" * 251 + ".wav"  # legal, but not with .jams
    for name in (long, "b" * 246 + ".wav", "c.wav"):
        write_song(music / name, tone(3, 440))
    with pytest.raises(SystemExit) as end:
        tag([music], model=bundle, jams=tmp_path / "jams", m3u=tmp_path / "lists")
    assert end.value.code == 1
    written = {path.name for path in (tmp_path / "jams").rglob("*.jams")}
    assert written == {"b" * 246 + ".wav.jams", "c.wav.jams"}
    assert (tmp_path / "lists/low.m3u8").read_text().count(".wav\n") == 3
    reason = "its JAMS file can't be written (File name too long)"
    assert f"{music / long}: failed: {reason}\n" in capsys.readouterr().err


def test_a_table_on_standard_output_has_the_bytes_of_each_name(tmp_path, bundle, capfdbinary):
    name = os.fsencode(tmp_path) + b"/\xff name.wav"
    write_song(tmp_path / "low.wav", tone(3, 440)).rename(os.fsdecode(name))
    tag([tmp_path], model=bundle, csv=Path("-"))
    printed = capfdbinary.readouterr().out
    assert printed.splitlines()[1].startswith(name + b",,3.0,1,low,")
    tag([tmp_path], model=bundle, csv=tmp_path / "songs.csv")
    assert (tmp_path / "songs.csv").read_bytes() == printed


def test_the_model_is_that_of_the_first_network_that_reads_audio(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("conv1d/seed-0", "crnn/seed-10", "crnn/seed-2", "lookup/seed-0", "gone/seed-0"):
        (tmp_path / "results/train" / name).mkdir(parents=True)
        (tmp_path / "results/train" / name / "model.json").touch()
    (tmp_path / "params.yaml").write_text("models: [lookup, crnn, conv1d]\n")
    assert str(default_model()) == "results/train/crnn/seed-2/model.json"
    (tmp_path / "params.yaml").unlink()
    assert str(default_model()) == "results/train/conv1d/seed-0/model.json"


def test_without_a_model_there_is_a_hint(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="no trained model in results/train; give --model the fold"):
        tag([tmp_path / "song.mp3"])
