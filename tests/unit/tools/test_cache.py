"""`autotagging verify --cache`: objects of DVC's cache that are not what their names say."""

import hashlib
import json

import pytest

from autotagging.common.errors import UserError
from autotagging.tools import _cache
from autotagging.tools.verify import verify


class Cache:
    """A cache with the objects of a folder of results, as DVC writes it."""

    def __init__(self, folder):
        self.folder = folder

    def add(self, content, suffix=""):
        """Write an object; return its name."""
        md5 = hashlib.md5(content).hexdigest() + suffix
        path = self.path(md5)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(0o444)
        return md5

    def path(self, md5):
        return self.folder / ".dvc/cache/files/md5" / md5[:2] / md5[2:]

    def damage(self, md5):
        path = self.path(md5)
        path.chmod(0o644)
        path.write_bytes(b"!" + path.read_bytes()[1:])
        path.chmod(0o444)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    printed = type("Printed", (), {"stdout": f"{tmp_path / '.dvc/cache'}\n"})
    monkeypatch.setattr(_cache, "run", lambda *arguments, **options: printed)
    return Cache(tmp_path)


@pytest.fixture
def recorded(cache, tmp_path):
    """Names of the objects of results/split: its file and its listing."""
    file = cache.add(b"clip_id,subset\n")
    listing = cache.add(json.dumps([{"md5": file, "relpath": "split.csv"}]).encode(), ".dir")
    stage = {"cmd": "snakemake", "outs": [{"path": "results/split", "md5": listing}]}
    (tmp_path / "dvc.lock").write_text(json.dumps({"stages": {"split": stage}}))
    return file, listing


def faults(capsys):
    """Lines that name damaged objects, and what is to be typed."""
    with pytest.raises(UserError) as error:
        verify(cache=True)
    return capsys.readouterr().out.splitlines(), str(error.value)


def test_a_whole_cache_is_ok(cache, recorded, capsys):
    (cache.path(recorded[0]).parent / ".unfinished.tmp").write_bytes(b"half of a download")
    verify(cache=True)
    assert capsys.readouterr().out == ".dvc/cache/files/md5: OK, 2 objects\n"


def test_a_damaged_object_is_named_with_its_result_and_what_mends_it(cache, recorded, capsys):
    file, _ = recorded
    cache.damage(file)
    lines, message = faults(capsys)
    path = f".dvc/cache/files/md5/{file[:2]}/{file[2:]}"
    assert lines == [f"{path}: damaged; results/split/split.csv"]
    assert "damaged: 1 of 2 objects" in message
    assert f"`rm -f {path}`, then `dvc fetch` to get" in message


def test_objects_that_dvc_lock_does_not_name_are_of_other_commits(cache, recorded, capsys):
    """Neither does a damaged listing tell the files of its folder."""
    file, listing = recorded
    cache.damage(listing)
    cache.damage(file)
    other = cache.add(b"of an earlier commit")
    cache.damage(other)
    lines, message = faults(capsys)
    assert len(lines) == 3
    assert f".dvc/cache/files/md5/{listing[:2]}/{listing[2:]}: damaged; results/split" in lines
    assert sum("of another commit or experiment" in line for line in lines) == 2
    assert "`dvc fetch --all-commits`" in message


def test_the_flags_ask_for_a_corpus_or_the_cache():
    for flags in ({}, {"corpus": "demo", "cache": True}):
        with pytest.raises(UserError, match="either --corpus NAME or --cache"):
            verify(**flags)


@pytest.mark.parametrize(
    "content",
    ["[", "[" * 100_000, "1", "[1]", '[{"relpath": "a"}]', '[{"relpath": "a", "md5": 1}]'],
)
def test_a_damaged_listing_has_no_files(tmp_path, content):
    (tmp_path / "listing").write_text(content)
    assert [*_cache.files_of("results/split", tmp_path / "listing")] == []
