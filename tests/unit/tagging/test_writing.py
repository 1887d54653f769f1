import errno
import hashlib
import json
import os
import shutil
import signal
import stat
import sys
from contextlib import closing, contextmanager
from pathlib import Path

import mutagen
import pytest
from mutagen.id3 import TIT2

from autotagging.common.errors import UserError
from autotagging.common.files import sha256
from autotagging.tagging import writing
from autotagging.tagging.delta import to_json
from autotagging.tagging.file_tags import read_file_tags
from autotagging.tagging.journal import Journal
from autotagging.tagging.plans import Change, read_plan, write_plan
from autotagging.tagging.writing import apply_plan, check_plan, undo_journal
from song_files import SUFFIXES, planned, write_song

PLAN_SHA256 = "0" * 64
_MOMENTS = 5  # of so many moments, one is tried; all of them take 20 seconds


@pytest.fixture
def music(tmp_path):
    folder = tmp_path / "music"
    folder.mkdir()
    return folder


@pytest.fixture
def song(music):
    return write_song(music / "song.mp3")


@pytest.fixture
def journal(tmp_path):
    return tmp_path / "plan.journal.jsonl"


def apply(journal, *lines, **options):
    """Apply planned files, by way of a plan; give what became of each."""
    plan = journal.with_name("plan.jsonl")
    write_plan(lines, plan)
    with closing(Journal(journal, "plan.jsonl", PLAN_SHA256)) as opened:
        return [*apply_plan(read_plan(plan), opened, **options)]


def kinds(outcomes):
    return [outcome.what for outcome in outcomes]


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def genres(path):
    return read_file_tags(path).genre


def test_files_of_all_formats_are_written_and_restored_byte_for_byte(music, journal):
    songs = [write_song(music / f"song.{suffix}") for suffix in SUFFIXES]
    before, times = contents(music), {path: path.stat().st_mtime_ns for path in songs}
    lines = [planned(path) for path in songs]
    assert kinds(apply(journal, *lines)) == ["written"] * len(songs)
    assert contents(music).keys() == before.keys()
    for path in songs:
        tags = read_file_tags(path)
        assert (tags.genre, tags.mood) == (("Rock", "Indie Rock"), ("Calm",))
    assert kinds(apply(journal, *lines)) == ["already"] * len(songs)
    assert kinds(undo_journal(journal)) == ["restored"] * len(songs)
    assert contents(music) == before
    assert {path: path.stat().st_mtime_ns for path in songs} == times
    assert kinds(undo_journal(journal)) == ["already"] * len(songs)
    assert kinds(apply(journal, *lines)) == ["written"] * len(songs)  # and once more
    assert kinds(undo_journal(journal)) == ["restored"] * len(songs)
    assert contents(music) == before


def test_the_journal_has_no_audio(music, journal):
    songs = [write_song(music / f"song.{suffix}", seconds=3) for suffix in SUFFIXES]
    apply(journal, *map(planned, songs))
    assert journal.stat().st_size < 10_000 < 2_000_000 < sum(map(os.path.getsize, songs))


def test_names_of_files_may_have_any_characters(song, music, journal):
    names = [b"line\nend.mp3", b"\xff\xfe.mp3", "Ünï 日本 🎵.mp3".encode(), b"\"quotes' \\.mp3"]
    names += [b"-n.mp3", b"a" * 251 + b".mp3", b"no suffix", b"." + b"x" * 200, b"\x1b[31m.mp3"]
    paths = [shutil.copy(song, music / os.fsdecode(name)) for name in names]
    assert kinds(apply(journal, *map(planned, paths))) == ["written"] * len(names)
    assert {genres(path) for path in paths} == {("Rock", "Indie Rock")}
    assert kinds(undo_journal(journal)) == ["restored"] * len(names)
    assert len({*contents(music).values()}) == 1


def test_files_that_changed_since_the_plan_stay(music, journal):
    songs = [write_song(music / f"{number}.mp3", seed=number) for number in range(6)]
    lines = [planned(path) for path in songs]
    songs[0].unlink()
    write_song(songs[1], seed=9)  # other audio
    apply(journal.with_name("other.jsonl"), planned(songs[2], genre=["Jazz"]))
    songs[3].unlink()
    songs[3].mkdir()
    songs[4].unlink()
    os.mkfifo(songs[4])  # opening it would wait for ever
    before = {path: path.read_bytes() for path in songs[1:3]}
    outcomes = apply(journal, *lines)
    expected = ["missing", "changed", "changed", "not_a_file", "not_a_file", "written"]
    assert kinds(outcomes) == expected
    assert {path: path.read_bytes() for path in before} == before
    assert kinds(undo_journal(journal)) == ["restored"]


def test_a_file_that_is_named_twice_is_written_once(song, music, journal):
    link = music / "link.mp3"
    link.symlink_to(song)
    lines = [planned(song), planned(link, genre=["Jazz"]), planned(song)]
    assert kinds(apply(journal, *lines)) == ["written", "named_twice", "named_twice"]
    assert genres(song) == ("Rock", "Indie Rock")


def test_a_damaged_line_of_the_plan_keeps_no_other_back(song, journal):
    plan = journal.with_name("plan.jsonl")
    write_plan([planned(song)], plan)
    plan.write_bytes(b"{damaged\n" + plan.read_bytes())
    with closing(Journal(journal, "plan.jsonl", PLAN_SHA256)) as opened:
        assert kinds(apply_plan(read_plan(plan), opened)) == ["damaged_line", "written"]


def test_a_link_leads_to_the_file_that_is_written(song, tmp_path, journal):
    link = tmp_path / "link.mp3"
    link.symlink_to("music/song.mp3")
    assert kinds(apply(journal, planned(link))) == ["written"]
    assert link.is_symlink()
    assert genres(song) == ("Rock", "Indie Rock")
    link.unlink()
    assert kinds(undo_journal(journal)) == ["restored"]
    assert genres(song) == ()


def test_permissions_owner_and_attributes_stay(song, journal):
    song.chmod(0o640)
    if os.getuid() == 0:
        os.chown(song, 12345, 54321)
    before = song.stat()
    os.utime(song, ns=(before.st_atime_ns, 10**18))
    for _ in range(2):
        assert kinds(apply(journal, planned(song))) == ["written"]
        after = song.stat()
        kept = [(s.st_mode, s.st_uid, s.st_gid) for s in (before, after)]
        assert kept[0] == kept[1]
        assert after.st_mtime_ns > 10**18  # backups see that it has changed
        [*undo_journal(journal)]
        assert (song.stat().st_mode, song.stat().st_mtime_ns) == (before.st_mode, 10**18)


def test_times_are_kept_on_demand(song, journal):
    os.utime(song, ns=(10**18, 10**18 + 7))
    apply(journal, planned(song), keep_times=True)
    assert song.stat().st_mtime_ns == 10**18 + 7


def test_a_hard_link_is_told(song, music, journal):
    other = music / "other.mp3"
    other.hardlink_to(song)
    before = other.read_bytes()
    (outcome,) = apply(journal, planned(song))
    assert outcome.message == "has 2 names (hard links); the others keep the old tags"
    assert not outcome.failed
    assert other.read_bytes() == before


def test_a_read_only_file_stays(song, journal):
    song.chmod(0o444)
    before = song.read_bytes()
    lines = [planned(song)]
    assert kinds(check_plan(lines)) == ["read_only"]
    assert kinds(apply(journal, *lines)) == ["read_only"]
    assert song.read_bytes() == before


def test_a_file_in_a_folder_that_is_not_writable_stays(song, music, journal, monkeypatch):
    lines = [planned(song)]
    if os.getuid() == 0:  # may write anywhere
        real = os.access
        monkeypatch.setattr(os, "access", lambda p, m: Path(p) != music and real(p, m))
    else:
        music.chmod(0o555)
    try:
        assert kinds(check_plan(lines)) == ["no_permission"]
        assert kinds(apply(journal, *lines)) == ["no_permission"]
        assert [path.name for path in music.iterdir()] == ["song.mp3"]
    finally:
        music.chmod(0o755)


@pytest.mark.parametrize("failing", ["copy_with_tags", "finish", "describe"])
def test_of_a_full_disk_nothing_is_left(song, music, journal, monkeypatch, failing):
    def fail(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    before = contents(music)
    other = write_song(music / "other.flac")
    lines = [planned(song), planned(other)]
    with monkeypatch.context() as patch:
        patch.setattr(writing, failing, fail)
        assert kinds(apply(journal, *lines)) == ["disk_full", "disk_full"]
    assert contents(music) == before | {"other.flac": other.read_bytes()}
    assert kinds(apply(journal, *lines)) == ["written", "written"]  # there is space again


def test_a_journal_that_can_not_be_written_keeps_the_file_back(song, journal, monkeypatch):
    before = song.read_bytes()
    real = Journal._append

    def fail(self, content):
        if "path" in content:
            self._file.write(b'{"path": "half a li')
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(self, content)

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "_append", fail)
        assert kinds(apply(journal, planned(song))) == ["disk_full"]
    assert song.read_bytes() == before
    assert kinds(apply(journal, planned(song))) == ["written"]
    assert kinds(undo_journal(journal)) == ["restored"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda copy: copy.write_bytes(copy.read_bytes()[:-9]), "its audio would change"),
        (write_song, "could not be read back"),
    ],
)
def test_a_copy_that_is_not_right_takes_no_place(song, journal, monkeypatch, change, message):
    real, before = writing.copy_with_tags, song.read_bytes()

    def spoil(source, target, fields):
        real(source, target, fields)
        target.flush()
        change(Path(target.name))

    monkeypatch.setattr(writing, "copy_with_tags", spoil)
    (outcome,) = apply(journal, planned(song))
    assert outcome.what == "not_verified"
    assert message in outcome.message
    assert song.read_bytes() == before


def test_other_tags_that_would_change_keep_the_file_back(song, journal, monkeypatch):
    real, before = writing.read_file_tags, song.read_bytes()

    def read(path):
        tags = real(path)
        return tags if path == song else type(tags)(**{**vars(tags), "others": "x"})

    monkeypatch.setattr(writing, "read_file_tags", read)
    (outcome,) = apply(journal, planned(song))
    assert (outcome.what, outcome.message[:10]) == ("not_verified", "other tags")
    assert song.read_bytes() == before


def test_a_file_that_is_changed_meanwhile_stays_as_it_was_changed(song, journal, monkeypatch):
    real = writing.describe

    def change(old, new):
        with song.open("ab") as file:
            file.write(b"more")
        return real(old, new)

    monkeypatch.setattr(writing, "describe", change)
    assert kinds(apply(journal, planned(song))) == ["changed"]
    assert song.read_bytes().endswith(b"more")


@pytest.mark.parametrize("how", ["edited", "gone", "refused"])
def test_undo_leaves_out_a_file_that_could_not_be_replaced(music, journal, monkeypatch, how):
    songs = [write_song(music / f"{number}.mp3", seed=number) for number in range(3)]
    lines = [planned(path) for path in songs]
    before = contents(music)
    real = writing.put_in_place

    def late(copy, target, status):
        if target == songs[1] and how == "edited":
            target.write_bytes(b"edited")
        if target == songs[1] and how == "gone":
            target.unlink()
        if target == songs[1] and how == "refused":
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))
        real(copy, target, status)

    monkeypatch.setattr(writing, "put_in_place", late)
    reason = {"edited": "changed", "gone": "missing", "refused": "no_permission"}[how]
    assert kinds(apply(journal, *lines)) == ["written", reason, "written"]
    if how == "refused":
        songs[1].write_bytes(b"edited")
    assert kinds(undo_journal(journal)) == ["restored", "restored"]
    edited = {} if how == "gone" else {"1.mp3": b"edited"}
    assert contents(music) == {"0.mp3": before["0.mp3"], "2.mp3": before["2.mp3"], **edited}


def test_a_tag_that_is_not_written_keeps_the_file_back(song, journal):
    from mutagen.apev2 import APEv2

    tags = APEv2()
    tags["Genre"] = "Jazz"
    tags.save(song)
    (outcome,) = apply(journal, planned(song))
    assert (outcome.what, outcome.message) == ("unsupported", "its genre is in an APEv2 tag")


def test_a_dry_run_shows_the_changes_and_writes_nothing(song, music):
    before = contents(music)
    line = planned(song)
    (outcome,) = check_plan([line])
    assert outcome.what == "planned"
    assert outcome.message == "genre  (none) -> Rock; Indie Rock\nmood   (none) -> Calm"
    gone = type(line)(**{**vars(line), "path": str(music / "gone.mp3")})
    assert kinds(check_plan([gone, line, line])) == ["missing", "planned", "named_twice"]
    none = Change((), ())
    assert kinds(check_plan([type(line)(**{**vars(line), "genre": none, "mood": none})])) == [
        "already"
    ]
    assert contents(music) == before


def test_undo_refuses_what_was_changed_since_and_goes_on(music, journal):
    songs = [write_song(music / f"{number}.mp3", seed=number) for number in range(4)]
    before = [path.read_bytes() for path in songs]
    apply(journal, *map(planned, songs))
    with songs[1].open("ab") as file:
        file.write(b"TAG".ljust(128, b"\0"))
    songs[2].unlink()
    after = songs[1].read_bytes()
    assert kinds(undo_journal(journal)) == ["restored", "missing", "changed", "restored"]
    assert [songs[number].read_bytes() for number in (0, 1, 3)] == [before[0], after, before[3]]


def test_undo_leads_through_several_changes_of_a_file(song, journal):
    before = song.read_bytes()
    apply(journal, planned(song))
    apply(journal, planned(song, genre=["Jazz"] * 300))
    assert kinds(undo_journal(journal)) == ["restored"]
    assert song.read_bytes() == before
    assert kinds(undo_journal(journal)) == ["already"]


def test_a_file_of_several_entries_is_told_once(music, journal):
    songs = [write_song(music / f"{number}.mp3", seed=number) for number in range(2)]
    for genre in ("Rock", "Jazz"):
        apply(journal, *(planned(song, genre=[genre]) for song in songs))
    with songs[0].open("ab") as file:
        file.write(b"TAG".ljust(128, b"\0"))
    outcomes = [*undo_journal(journal)]
    assert [(outcome.path, outcome.what) for outcome in outcomes] == [
        (str(songs[1]), "restored"),
        (str(songs[0]), "changed"),
    ]


def test_undo_restores_the_last_change_of_a_file_that_was_changed_between_two(song, journal):
    apply(journal, planned(song, genre=["Rock"]))
    with song.open("ab") as file:
        file.write(b"TAG".ljust(128, b"\0"))
    between = song.read_bytes()
    apply(journal, planned(song, genre=["Jazz"]))
    assert kinds(undo_journal(journal)) == ["changed"]
    assert song.read_bytes() == between
    assert kinds(undo_journal(journal)) == ["changed"]


def test_a_damaged_line_of_the_journal_keeps_no_other_back(music, journal):
    songs = [write_song(music / f"{number}.mp3", seed=number) for number in range(4)]
    before = songs[1].read_bytes()
    apply(journal, *map(planned, songs))
    after = songs[0].read_bytes()
    lines = journal.read_bytes().splitlines(keepends=True)
    lines[2] = lines[2].replace(b'"pieces": [[', b'"pieces": [[9')
    lines[6] = b"{damaged\n"
    lines[8] = lines[8][:-1]  # the last one, cut: its file was not renamed in a real case
    journal.write_bytes(b"".join(lines))
    assert kinds(undo_journal(journal)) == ["damaged_line", "restored", "damaged_line"]
    assert (songs[0].read_bytes(), songs[1].read_bytes()) == (after, before)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"pieces"', b'"pieceq"'),
        (b'"atime_ns": ', b'"atime_ns": 1000000000000000000000'),
        (b'"pieces": [[', b'"pieces": [[4611686018427387904, 9], ['),
    ],
)
def test_a_damaged_value_in_the_journal_keeps_no_other_back(music, journal, old, new):
    songs = [write_song(music / f"{number}.mp3", seed=number) for number in range(3)]
    before = [path.read_bytes() for path in songs]
    apply(journal, *map(planned, songs))
    before[1] = songs[1].read_bytes()
    lines = journal.read_bytes().splitlines(keepends=True)
    assert old in lines[4]
    lines[4] = lines[4].replace(old, new)
    journal.write_bytes(b"".join(lines))
    assert sorted(kinds(undo_journal(journal))) == ["damaged_line", "restored", "restored"]
    assert [path.read_bytes() for path in songs] == before


def other_letter(pieces):
    number = next(number for number, piece in enumerate(pieces) if isinstance(piece, str))
    first = "B" if pieces[number][0] == "A" else "A"
    return [*pieces[:number], first + pieces[number][1:], *pieces[number + 1 :]]


def other_place(pieces):
    *others, (start, length) = pieces  # the last one is the audio
    return [*others, [start - 1, length]]


@pytest.mark.parametrize("damage", [other_letter, other_place])
def test_undo_gives_a_file_no_other_bytes_than_it_had(song, music, journal, damage):
    apply(journal.with_name("first.jsonl"), planned(song, genre=["Jazz"] * 30))
    apply(journal, planned(song))
    before = contents(music)
    *lines, last = journal.read_text().splitlines()
    entry = json.loads(last)
    damaged = {**entry, "pieces": damage(entry["pieces"])}
    journal.write_text("\n".join([*lines, json.dumps(damaged), ""]))
    (outcome,) = undo_journal(journal)
    assert (outcome.path, outcome.what) == (str(song), "damaged_line")
    assert contents(music) == before
    journal.write_text("\n".join([*lines, last, ""]))
    assert kinds(undo_journal(journal)) == ["restored"]
    assert contents(music) != before


def test_pieces_that_do_not_give_the_old_file_keep_it_back(song, music, journal, monkeypatch):
    before = contents(music)
    real = writing.describe
    monkeypatch.setattr(writing, "describe", lambda *files: [*real(*files), b"more"])
    assert kinds(apply(journal, planned(song))) == ["changed"]
    assert contents(music) == before
    assert kinds(undo_journal(journal)) == []


def test_a_damaged_name_of_a_copy_keeps_no_file_back(song, journal):
    before = song.read_bytes()
    apply(journal, planned(song))
    journal.write_bytes(journal.read_bytes().replace(b'"started": "/', b'"started": "/\\u0000/'))
    assert kinds(undo_journal(journal)) == ["restored"]
    assert song.read_bytes() == before


def test_files_whose_texts_or_frames_would_be_lost_stay(music, journal):
    comments, title = write_song(music / "a.flac"), write_song(music / "b.mp3")
    for song, name, text in (
        (comments, "title", "Bj__rk"),
        (title, "TIT2", TIT2(encoding=3, text="Bj__rk")),
    ):
        tags = mutagen.File(song)
        if tags.tags is None:
            tags.add_tags()
        tags[name] = text
        tags.save()
        song.write_bytes(song.read_bytes().replace(b"Bj__rk", b"Bj\xf6\xf6rk"))
    before = contents(music)
    assert kinds(apply(journal, planned(comments), planned(title))) == [
        "unreadable",
        "not_verified",
    ]
    assert contents(music) == before


def test_copies_that_another_file_names_stay(music, journal):
    copy = music / ".autotagging-0123.mp3"
    copy.touch()
    journal.write_text(f'{{"path": "x"}}\n{{"started": "{copy}"}}\n')
    with pytest.raises(UserError, match="not a journal"):
        [*undo_journal(journal)]
    assert copy.exists()


def killed(act, number):
    """Run a function in a process that is killed at its number-th look at the file system.

    False if it comes to its end before.
    """
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
        return os.WIFSIGNALED(status)
    seen = 0

    def count(event, _):
        nonlocal seen
        if event == "open" or event.startswith(("os.", "shutil.")):
            seen += 1
            if seen == number:
                os.kill(os.getpid(), signal.SIGKILL)

    try:
        sys.addaudithook(count)
        act()
        os._exit(0)
    finally:
        os._exit(1)


def test_a_process_killed_anywhere_leaves_whole_files(music, journal):
    songs = [write_song(music / "a.mp3"), write_song(music / "b.flac")]
    lines = [planned(path) for path in songs]
    old = contents(music)
    apply(journal, *lines)
    new = contents(music)
    [*undo_journal(journal)]
    journal.unlink()
    number = 1
    while killed(lambda: apply(journal, *lines), number):
        found = contents(music)
        copies = {name for name in found if name.startswith(".autotagging-")}
        assert len(copies) <= 1
        for path in songs:
            assert found[path.name] in (old[path.name], new[path.name])
        if number % 2 and journal.exists():
            assert not any(outcome.failed for outcome in undo_journal(journal))
            assert contents(music) == old
        else:
            assert not any(outcome.failed for outcome in apply(journal, *lines))
            assert contents(music) == new
            assert not any(outcome.failed for outcome in undo_journal(journal))
        journal.unlink(missing_ok=True)
        number += _MOMENTS
    assert number > 60


def test_an_undo_killed_anywhere_can_be_repeated(music, journal):
    songs = [write_song(music / "a.mp3"), write_song(music / "b.flac")]
    old = contents(music)
    number = 1
    apply(journal, *map(planned, songs))
    new, noted = contents(music), journal.read_bytes()
    while killed(lambda: [*undo_journal(journal)], number):
        for path in songs:
            assert path.read_bytes() in (old[path.name], new[path.name])
        assert not any(outcome.failed for outcome in undo_journal(journal))
        assert contents(music) == old
        for path in songs:
            path.write_bytes(new[path.name])
        assert journal.read_bytes() == noted
        number += _MOMENTS
    assert number > 20


def test_undo_restores_the_time_of_the_last_reading(song, journal):
    """Nothing reads the restored file, which would be the last reading."""
    os.utime(song, ns=(10**18 + 1, 10**18 + 2))
    apply(journal, planned(song))
    noted = [json.loads(line) for line in journal.read_text().splitlines()][-1]
    assert kinds(undo_journal(journal)) == ["restored"]
    found = song.stat()
    assert (found.st_atime_ns, found.st_mtime_ns) == (noted["atime_ns"], 10**18 + 2)


def test_a_copy_is_for_no_one_else_to_read(song, journal, monkeypatch):
    modes = []
    real = writing.copy_with_tags

    def look(source, target, fields):
        modes.append(stat.S_IMODE(os.fstat(target.fileno()).st_mode))
        real(source, target, fields)

    monkeypatch.setattr(writing, "copy_with_tags", look)
    before = sha256(song)
    apply(journal, planned(song))
    assert modes == [0o600]
    assert sha256(song) != before


@pytest.mark.parametrize("at_once", [False, True])
@pytest.mark.parametrize("restoring", [False, True])
def test_a_copy_that_became_a_link_changes_no_other_file(
    song, music, journal, tmp_path, monkeypatch, restoring, at_once
):
    """As another user of the folder could do, as soon as it is there or when it is written."""
    private = tmp_path / "private"
    private.write_text("private")
    private.chmod(0o600)
    before = private.stat()
    if restoring:
        apply(journal, planned(song))
    content, make, finish = song.read_bytes(), writing.copy_next_to, writing.finish

    def replace(copy):
        Path(copy.name).unlink()
        Path(copy.name).symlink_to(private)

    @contextmanager
    def replaced(*others):
        with make(*others) as copy:
            replace(copy)
            yield copy

    def replaced_at_the_end(copy, *others):
        replace(copy)
        finish(copy, *others)

    if at_once:
        monkeypatch.setattr(writing, "copy_next_to", replaced)
    else:
        monkeypatch.setattr(writing, "finish", replaced_at_the_end)
    (outcome,) = undo_journal(journal) if restoring else apply(journal, planned(song))
    assert outcome.failed
    found = private.stat()
    assert private.read_text() == "private"
    assert (found.st_mode, found.st_mtime_ns) == (before.st_mode, before.st_mtime_ns)
    assert found.st_ctime_ns == before.st_ctime_ns  # nor owner, attributes or time of reading
    assert song.read_bytes() == content
    assert list(music.iterdir()) == [song]


def test_a_forged_journal_changes_and_removes_only_songs(song, music, journal, tmp_path):
    """Its entries name a text file, and copies that no `apply` has made."""
    apply(journal, planned(song))
    (line,) = [line for line in journal.read_text().splitlines() if '"path"' in line]
    private, other = music / ".profile", music / ".autotagging-notes"
    private.write_text("the same for everyone\n")
    other.touch()
    forged = {
        **json.loads(line),
        "path": str(private),
        "old_sha256": hashlib.sha256(b"another\n").hexdigest(),
        "new_sha256": sha256(private),
        "pieces": to_json([b"another\n"]),
    }
    with journal.open("a") as file:
        file.write(json.dumps({"started": str(other)}) + "\n" + json.dumps(forged) + "\n")
    what = {Path(outcome.path).name: outcome.what for outcome in undo_journal(journal)}
    assert what == {".profile": "unsupported", "song.mp3": "restored"}
    assert private.read_text() == "the same for everyone\n"
    assert other.exists()
