"""The command `import_corpus`: what it writes, what it refuses, and that it leaves nothing else."""

import csv
import hashlib
import os
from dataclasses import replace
from itertools import chain
from pathlib import Path
from unicodedata import normalize

import mutagen
import numpy as np
import pandas as pd
import pytest
import soundfile

from autotagging.common.errors import UserError
from autotagging.corpus.audio import open_corpus
from autotagging.corpus.tables import read_clip_info
from autotagging.dataset.groups import group_ids
from autotagging.tools import import_corpus as module
from autotagging.tools.import_corpus import import_corpus
from autotagging.tools.importing.cutting import BadSongError, CutSettings
from autotagging.tools.importing.labels import TableSettings
from autotagging.tools.importing.naming import TagSettings

CUT = CutSettings(seconds=1.0, sample_rate=8000, shortest=0.5)
ROWS = [
    ("path", "artist", "album", "genre", "mood"),
    ("a.wav", "A", "X", "Rock; Pop", "calm"),
    ("b.flac", "A", "", "rock", ""),
    ("sub/ü.wav", "", "", "Pop", "calm"),
]


def in_this_process(function, jobs, *, workers, timeout):
    for number, job in enumerate(jobs):
        try:
            yield number, function(*job), None
        except (BadSongError, ValueError) as error:
            yield number, None, error


@pytest.fixture
def music(tmp_path, monkeypatch):
    """Working folder with a table and three songs of 3, 2 and 1 seconds; they are cut quickly."""
    monkeypatch.setattr(module, "run_jobs", in_this_process)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "music/sub").mkdir(parents=True)
    rng = np.random.default_rng(0)
    for (name, *_), seconds in zip(ROWS[1:], (3, 2, 1), strict=True):
        samples = rng.uniform(-0.5, 0.5, 8000 * seconds)
        soundfile.write(tmp_path / "music" / name, samples, 8000)
    write_rows(tmp_path, ROWS)
    return tmp_path


def write_rows(folder, rows):
    with (folder / "tags.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)


def run(folder, *, csv="tags.csv", **options):
    import_corpus(
        **{"audio": folder / "music", "out": folder / "mine", "workers": 1, "cut": CUT}
        | {"csv": csv and folder / csv}
        | options
    )


def digests(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


def test_the_corpus_has_the_official_tables_and_groups_for_the_split(music, capsys):
    run(music)
    assert sorted(path.name for path in music.iterdir()) == ["mine", "music", "tags.csv"]
    annotations = pd.read_csv(music / "mine/annotations_final.csv", sep="\t")
    assert [*annotations] == ["clip_id", "Pop", "Rock", "calm", "mp3_path"]
    assert annotations["clip_id"].tolist() == [1, 2, 3, 4, 5, 6]
    assert annotations["Rock"].tolist() == [1, 1, 1, 1, 1, 0]
    assert annotations["calm"].tolist() == [1, 1, 1, 0, 0, 1]
    info = pd.read_csv(music / "mine/clip_info_final.csv", sep="\t")
    assert info["url"].tolist() == ["a.wav"] * 3 + ["b.flac"] * 2 + ["sub/ü.wav"]
    assert info["artist"].fillna("").tolist() == ["A"] * 5 + [""]
    assert info["album"].fillna("").tolist() == ["X"] * 3 + [""] * 3
    assert info["segmentStart"].tolist() == [0, 1, 2, 0, 1, 0]
    assert info["mp3_path"].str[0][:5].nunique() == 1  # the folder of an artist
    opened = open_corpus(music / "mine")
    assert {opened.decode(path).sample_rate for path in info["mp3_path"]} == {8000}
    assert len(opened.waveform(info["mp3_path"][5], sample_rate=8000)) == 8000
    text = (music / "mine/tags.yaml").read_text(encoding="utf-8")
    assert text.endswith(
        "synonyms: {}\ncategories:\n  genre:\n  - Pop\n  - Rock\n  mood:\n  - calm\n"
    )
    printed = capsys.readouterr().err
    assert "6 clips of 3 songs by 1 known artist, 3 tags" in printed
    assert "Rock is spelt rock, too" in printed
    assert f'corpus={music}/mine \'split={{"scheme":"track"}}\'' in printed
    assert "replaces the results of another corpus in results/: record them first" in printed


@pytest.mark.parametrize("level", ["track", "album", "artist"])
def test_no_split_separates_the_files_of_one_track(music, level):
    file = mutagen.File(music / "music/b.flac")
    file.update({"artist": ["Ann"], "album": ["First"]})
    file.save()
    write_rows(music, [("path", "track", "tag"), ("a.wav", "T", "Rock"), ("b.flac", "T", "Rock")])
    run(music)
    groups = read_clip_info(music / "mine/clip_info_final.csv").set_index("clip_id")
    assert group_ids(groups, level, groups.index).nunique() == 1
    assert groups["mp3_path"].str[0].nunique() == 1


def test_a_tag_with_a_comma_is_not_shown_as_two(music, capsys):
    write_rows(music, [("path", "genre"), ("a.wav", "rock, pop"), ("b.flac", "jazz; Rock, pop")])
    run(music)
    printed = capsys.readouterr().err.splitlines()
    assert 'songs of a tag: "Rock, pop" 2, jazz 1' in printed
    assert '"Rock, pop" is spelt "rock, pop", too' in printed


def test_the_bytes_do_not_depend_on_the_number_of_processes(music, monkeypatch):
    run(music)
    monkeypatch.undo()
    run(music, out=music / "again", workers=2)
    assert digests(music / "again") == digests(music / "mine")


def test_with_a_fault_nothing_is_written_and_each_is_named(music, capsys):
    soundfile.write(music / "music/copy.flac", soundfile.read(music / "music/a.wav")[0], 8000)
    more = [
        ("none.wav", "", "", "Rock", ""),
        ("a.wav", "", "", "Rock", ""),
        ("b.wav", "", "", "", ""),
    ]
    write_rows(music, [*ROWS, *more, ("copy.flac", "", "", "Rock", "")])
    before = digests(music)
    with pytest.raises(UserError, match="4 rows or files can't be used; nothing was written"):
        run(music)
    assert digests(music) == before
    assert capsys.readouterr().err.splitlines() == [
        "tags.csv, line 6: path a.wav appears twice, first in tags.csv, line 2",
        "tags.csv, line 7: no tag",
        "tags.csv, line 2: another row of a.wav can't be used, so the song is left out",
        f"tags.csv, line 5: none.wav: no such file in {music}/music",
    ]
    run(music, skip_bad=True)
    assert (music / "mine/left_out.csv").read_text(encoding="utf-8").splitlines() == [
        "where,reason",
        '"tags.csv, line 6","path a.wav appears twice, first in tags.csv, line 2"',
        '"tags.csv, line 7",no tag',
        '"tags.csv, line 2","another row of a.wav can\'t be used, so the song is left out"',
        f'"tags.csv, line 5: none.wav",no such file in {music}/music',
    ]
    assert len([*music.glob("mine/?/*.flac")]) == 6
    assert not [*music.glob(".*")]


def test_a_song_without_a_kept_tag_is_left_out_after_the_cut(music):
    for name in ("one.wav", "two.wav"):
        (music / "music" / name).write_bytes((music / "music/a.wav").read_bytes())
    soundfile.write(music / "music/two.wav", np.zeros(8000), 8000)
    soundfile.write(music / "music/one.wav", np.full(8000, 0.3), 8000)
    rows = [("a.wav", "Rock"), ("b.flac", "Rock"), ("one.wav", "Pop"), ("two.wav", "Pop")]
    write_rows(music, [("path", "genre"), *rows])
    run(music, skip_bad=True, tags=TagSettings(min_songs=2))
    annotations = pd.read_csv(music / "mine/annotations_final.csv", sep="\t")
    assert [*annotations] == ["clip_id", "Rock", "mp3_path"]
    assert annotations["Rock"].tolist() == [1] * 5
    paths = {path.relative_to(music / "mine").as_posix() for path in music.glob("mine/?/*")}
    assert paths == {*annotations["mp3_path"]}


@pytest.mark.parametrize(("tags", "clips"), [("Rock", 5), ("pop; ROCK", 5), ("Rock; Jazz", 2)])
def test_of_the_same_audio_the_first_is_kept_if_it_has_all_tags(music, tags, clips):
    soundfile.write(music / "music/copy.flac", soundfile.read(music / "music/a.wav")[0], 8000)
    rows = [("a.wav", "Rock; Pop"), ("b.flac", "Rock"), ("copy.flac", tags)]
    write_rows(music, [("path", "genre"), *rows])
    run(music, skip_bad=True)
    left_out = (music / "mine/left_out.csv").read_text(encoding="utf-8").splitlines()[1:]
    expected = ['"tags.csv, line 4: copy.flac",the same audio as a.wav']
    if clips == 2:
        expected += ['"tags.csv, line 2: a.wav",copy.flac has the same audio with other tags']
    assert left_out == expected
    assert len([*music.glob("mine/?/*.flac")]) == clips


def test_a_song_that_can_not_be_cut_stops_everything(music, capsys):
    soundfile.write(music / "music/b.flac", np.zeros(8000), 8000)
    with pytest.raises(UserError, match="1 row or file can't be used"):
        run(music)
    assert "tags.csv, line 3: b.flac: silent\n" in capsys.readouterr().err
    assert sorted(path.name for path in music.iterdir()) == ["music", "tags.csv"]


def test_a_song_that_is_too_short_or_has_too_many_channels_stops_all_before_the_cut(
    music, monkeypatch, capsys
):
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (8000, 33))
    soundfile.write(music / "music/a.wav", noise[:3999, 0], 8000)
    soundfile.write(music / "music/b.flac", noise[:4000, 0], 8000)
    soundfile.write(music / "music/sub/ü.wav", noise, 8000)
    monkeypatch.setattr(module, "cut_song", lambda *job: pytest.fail(f"{job[0]} was cut"))
    with pytest.raises(UserError, match="2 rows or files can't be used; nothing was written"):
        run(music)
    assert capsys.readouterr().err.splitlines() == [
        "tags.csv, line 2: a.wav: 0.5 s long, shorter than --shortest 0.5",
        "tags.csv, line 4: sub/ü.wav: 33 channels, expected at most 32",
    ]
    monkeypatch.undo()
    monkeypatch.setattr(module, "run_jobs", in_this_process)
    run(music, skip_bad=True)
    assert len([*music.glob("mine/?/*.flac")]) == 1
    assert len((music / "mine/left_out.csv").read_text(encoding="utf-8").splitlines()) == 3


@pytest.mark.parametrize(
    ("header", "table"),
    [
        (("path", "tag", "category"), TableSettings()),
        (("path", "tag", "style"), TableSettings(category="all")),
        (("path", "all", "style"), TableSettings(tag_columns=("all",))),
    ],
)
def test_a_category_of_the_name_all_is_refused_before_the_cut(music, monkeypatch, header, table):
    write_rows(music, [header, ("a.wav", "Rock", "all")])
    monkeypatch.setattr(module, "cut_song", lambda *job: pytest.fail(f"{job[0]} was cut"))
    with pytest.raises(UserError, match="tag 'Rock' has the category 'all', which means all tags"):
        run(music, table=table)
    assert sorted(path.name for path in music.iterdir()) == ["music", "tags.csv"]


def test_only_a_corpus_of_this_command_is_replaced_and_only_if_told(music, capsys):
    run(music)
    with pytest.raises(UserError, match="there is a corpus already; --replace replaces it"):
        run(music)
    vocabulary = music / "mine/tags.yaml"
    text = vocabulary.read_text(encoding="utf-8").replace("{}", "{loud: [Rock]}")
    text += "  feeling:\n  - clam\n"
    vocabulary.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=r"tags\.yaml was edited and would be lost; keep it with"):
        run(music, replace=True)
    write_rows(music, ROWS[:3])
    run(music, replace=True, tags=TagSettings(vocabulary=vocabulary))
    assert "category 'feeling': the corpus has no tag 'clam'\n" in capsys.readouterr().err
    assert "loud:\n  - Rock\n" in vocabulary.read_text(encoding="utf-8")
    assert len([*music.glob("mine/?/*")]) == 5
    (music / "mine/notes.txt").touch()
    with pytest.raises(UserError, match=r"mine: notes\.txt is not of this command"):
        run(music, replace=True, tags=TagSettings(vocabulary=vocabulary))
    (music / "other").mkdir()
    (music / "other/diary.txt").touch()
    with pytest.raises(UserError, match="other: no corpus of this command, so it is not replaced"):
        run(music, out=music / "other", replace=True)


def ids_by_song(folder):
    info = pd.read_csv(folder / "mine/clip_info_final.csv", sep="\t")
    annotations = pd.read_csv(folder / "mine/annotations_final.csv", sep="\t")
    assert info[["clip_id", "mp3_path"]].equals(annotations[["clip_id", "mp3_path"]])
    return info.groupby("original_url")["clip_id"].agg(list).to_dict()


def test_clips_keep_their_ids_when_songs_are_added_or_removed(music):
    run(music)
    assert ids_by_song(music) == {"a.wav": [1, 2, 3], "b.flac": [4, 5], "sub/ü.wav": [6]}
    rng = np.random.default_rng(1)
    for name in ("A new.wav", "c.wav"):
        soundfile.write(music / "music" / name, rng.uniform(-0.5, 0.5, 8000), 8000)
    new = [(name, "B", "", "Rock", "") for name in ("A new.wav", "c.wav")]
    write_rows(music, [ROWS[0], new[0], *ROWS[1:3]])
    run(music, replace=True)
    assert ids_by_song(music) == {"A new.wav": [7], "a.wav": [1, 2, 3], "b.flac": [4, 5]}
    write_rows(music, ROWS[:2])
    run(music, replace=True)
    write_rows(music, [ROWS[0], new[1], ROWS[3], ROWS[1]])  # no id is given to another song
    run(music, replace=True)
    assert ids_by_song(music) == {"a.wav": [1, 2, 3], "c.wav": [8], "sub/ü.wav": [6]}


def test_songs_whose_names_are_told_apart_by_spaces_have_ids_of_their_own(music):
    rng = np.random.default_rng(1)
    names = ["two  spaces.wav", "two spaces.wav"]
    for name in names:
        soundfile.write(music / "music" / name, rng.uniform(-0.5, 0.5, 8000), 8000)
    write_rows(music, [ROWS[0], *((name, "B", "", "Rock", "") for name in names), *ROWS[1:]])
    run(music)
    ids = ids_by_song(music)
    assert sorted(chain.from_iterable(ids.values())) == list(range(1, 9))
    assert len(ids["two spaces.wav"]) == 2
    run(music, replace=True)
    assert ids_by_song(music) == ids


def test_a_song_keeps_its_ids_in_the_other_spelling_of_umlauts(music):
    run(music)
    ids = music / "mine/clip_ids.csv"
    ids.write_text(normalize("NFD", ids.read_text(encoding="utf-8")), encoding="utf-8")
    run(music, replace=True)
    assert ids_by_song(music) == {"a.wav": [1, 2, 3], "b.flac": [4, 5], "sub/ü.wav": [6]}


@pytest.mark.parametrize("name", ["annotations_final.csv", "clip_info_final.csv"])
def test_tables_that_were_edited_by_hand_are_not_replaced(music, name):
    run(music)
    path = music / "mine" / name
    assert ids_by_song(music) == {"a.wav": [1, 2, 3], "b.flac": [4, 5], "sub/ü.wav": [6]}
    edited = path.read_bytes().replace(b'"1"', b'"0"', 1)
    path.write_bytes(edited)
    with pytest.raises(UserError, match=f"{name} was edited and would be lost; move it away"):
        run(music, replace=True)
    assert path.read_bytes() == edited
    path.rename(music / "kept.csv")
    write_rows(music, [ROWS[0], *ROWS[2:]])  # without the first song, whose ids stay its own
    run(music, replace=True)
    assert ids_by_song(music) == {"b.flac": [4, 5], "sub/ü.wav": [6]}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"csv": None}, "needs either --csv TABLE or --from-files"),
        ({"from_files": ("genre",)}, "needs either --csv TABLE or --from-files"),
        ({"audio": "nowhere"}, "nowhere: no folder"),
        ({"out": "music/mine"}, "--out and --audio are inside each other"),
        ({"out": "."}, "--out is the name of a new folder"),
        ({"out": "loop"}, "loop: no folder; name another for --out"),
        ({"audio": "loop"}, "loop: no folder; --audio is the folder of the audio files"),
        ({"cut": CutSettings(sample_rate=10)}, "--sample-rate is less than 1000"),
        ({"cut": CutSettings(seconds=0.9)}, "--seconds is less than 1"),
        ({"cut": CutSettings(seconds=float("nan"))}, "--seconds nan: expected a number"),
        ({"cut": CutSettings(sample_rate=65_536)}, "--sample-rate 65536: FLAC has up to 65535"),
        ({"cut": CutSettings(sample_rate=655_360)}, "--sample-rate 655360: FLAC has up to 65535"),
        ({"cut": CutSettings(sample_rate=10**400)}, "000: FLAC has up to 65535 Hz, and multiples"),
        ({"cut": CutSettings(seconds=1e308)}, "--seconds is more than 3600, an hour"),
        ({"timeout": 0.0}, "--timeout 0: expected more than 0 seconds"),
        ({"timeout": 1e308}, "--timeout 1e+308: expected more than 0 seconds, and at most 86,400"),
        ({"workers": 0}, "--workers and --clips-per-song are at least 1"),
    ],
)
def test_arguments_that_make_no_sense_are_named(music, options, message):
    options = {k: Path(v) if k in ("audio", "out") else v for k, v in options.items()}
    (music / "loop").symlink_to("loop")
    with pytest.raises(UserError) as caught:
        run(music, **options)
    assert message in str(caught.value)


def test_the_largest_number_of_clips_is_no_limit(music):
    run(music, cut=replace(CUT, clips_per_song=10**400))
    assert len([*music.glob("mine/?/*.flac")]) == 6


def test_there_is_a_process_for_each_core_that_may_be_used(music, monkeypatch):
    used = []

    def counted(function, jobs, *, workers, timeout):
        used.append(workers)
        return in_this_process(function, jobs, workers=workers, timeout=timeout)

    monkeypatch.setattr(module, "run_jobs", counted)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {*range(3, 10)}, raising=False)
    run(music, workers=None)
    assert {*used} == {7}


@pytest.mark.parametrize("name", ["mine", "mine [2nd]"])
def test_what_a_killed_import_has_left_is_deleted(music, name):
    (music / f".{name}-unfinished-killed/{name}").mkdir(parents=True)
    run(music, out=music / name)
    assert sorted(path.name for path in music.iterdir()) == [name, "music", "tags.csv"]


def test_the_corpus_that_a_killed_import_had_moved_away_is_put_back_and_not_replaced(music):
    run(music)
    before = (music / "mine/clip_info_final.csv").read_bytes()
    (music / ".mine-unfinished-killed").mkdir()
    (music / "mine").rename(music / ".mine-unfinished-killed/replaced-mine")
    with pytest.raises(UserError, match="there is a corpus already; --replace replaces it"):
        run(music)
    assert (music / "mine/clip_info_final.csv").read_bytes() == before
