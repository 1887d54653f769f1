"""Results that go to a remote and come back, also after a kill. `make test-remotes` runs this."""

import os
import re
import shlex
import signal
import subprocess
import time

import pytest

from autotagging.commands import PACKAGE, find_commands
from autotagging.tools._cache import damaged_objects, files_of, object_path
from ssh_server import SSHD, ssh_server

pytestmark = [pytest.mark.remotes, pytest.mark.xdist_group("tiny_run")]

FIGURES = set(find_commands(PACKAGE / "steps/figures"))
NEVER_SPLIT = {"figure_2", "mel_examples", "tag_distribution"}
"""Figures that no training changes."""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Home folder of a user who can log in to `storage` by a key."""
    assert SSHD, "needs an SSH server: apt install openssh-server"
    with ssh_server(tmp_path_factory.mktemp("ssh")) as home:
        yield home


@pytest.fixture(params=["folder", "ssh"])
def project(request, recorded_copy, tmp_path):
    """A recorded project with a remote in tmp_path/storage, and data that take a while to send."""
    project = recorded_copy()
    (project.folder / "data").write_bytes(os.urandom(100_000_000))
    project.run("dvc add --quiet data")
    url = tmp_path / "storage"
    if request.param == "ssh":
        project.environment["HOME"] = str(request.getfixturevalue("server"))
        url = f"ssh://storage{url}"
    project.run(f"dvc remote add --default storage {url}")
    project.run("dvc remote modify storage verify true")
    project.commit()
    return project


def objects(folder):
    """Count the whole objects of a cache or remote, none of which is damaged."""
    count, damaged = damaged_objects(folder / "files/md5")
    assert damaged == {}
    return count


def interrupt(project, command, folder):
    """Run a command, and kill it with its children in the middle of writing to a folder."""
    running = subprocess.Popen(
        shlex.split(command),
        cwd=project.folder,
        env=project.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    while running.poll() is None:
        begun = [path for path in folder.glob("files/md5/*/*") if not path.is_dir()]
        if len(begun) > 2:
            os.killpg(running.pid, signal.SIGKILL)
            break
        time.sleep(0.001)
    assert running.wait() == -signal.SIGKILL, f"{command} was faster than the test"


def test_a_clone_gets_the_results_and_runs_only_what_a_change_affects(project, tmp_path):
    storage, everything = tmp_path / "storage", objects(project.folder / ".dvc/cache")
    interrupt(project, "dvc push", storage)
    assert objects(storage) < everything
    project.run("dvc push")
    assert objects(storage) == everything
    assert "everything is up to date" in project.run("dvc push").lower()

    clone = project.clone(tmp_path / "clone")
    clone.environment["HOME"] = project.environment["HOME"]
    interrupt(clone, "dvc pull", clone.folder / ".dvc/cache")
    assert objects(clone.folder / ".dvc/cache") < everything
    clone.run("dvc pull")
    clone.run("autotagging restore")
    assert clone.jobs("snakemake -n") == set()
    assert clone.jobs("dvc repro") == set()
    assert f"OK, {everything} objects" in clone.run("autotagging verify --cache")

    clone.replace("params.yaml", "learning_rate: 0.001", "learning_rate: 0.002")
    trained = {"train", "evaluate", *FIGURES} - NEVER_SPLIT
    assert clone.jobs("snakemake -n") == trained - {"figure_2", "mel_examples"}
    clone.run("git checkout --quiet -- params.yaml")
    clone.replace("params.yaml", "clips_per_tag: 4", "clips_per_tag: 2")
    assert clone.jobs("snakemake --cores all") == {"mel_examples"}
    assert clone.jobs("dvc repro") == FIGURES
    clone.replace("params.yaml", "clips: 24", "clips: 23")
    assert {"download", "extract_mel_shard", "train"} <= clone.jobs("snakemake -n")


def damage(path):
    """Change a byte of a read-only file."""
    content = bytearray(path.read_bytes())
    content[40] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)
    path.chmod(0o444)


def test_damaged_objects_are_mended_from_the_remote(project, tmp_path):
    """Of a metric, which DVC does not notice, and of the listing of the same folder."""
    project.run("dvc push")
    cache = project.folder / ".dvc/cache/files/md5"
    folder = "results/evaluate/lookup/seed-0"
    lock = (project.folder / "dvc.lock").read_text()
    listings = re.findall(rf"path: {folder}\n\s+hash: md5\n\s+md5: (\w+\.dir)", lock)
    listing = object_path(cache, listings[-1])
    metrics = next(md5 for path, md5 in files_of(folder, listing) if path.name == "metrics.json")
    damage(object_path(cache, metrics))
    assert "up to date" in project.run("dvc status")
    assert "up to date" in project.run("dvc fetch")
    damage(listing)

    printed = project.run("autotagging verify --cache", code=2)
    assert f"{listing.name}: damaged; {folder}\n" in printed
    assert printed.count(": damaged; ") == 2
    (remove,) = re.findall("`(rm -f [^`]+)`", printed)
    (fetch,) = re.findall("`(dvc fetch[^`]*)`", printed)
    project.run(remove)
    project.run(fetch)
    assert "OK, " in project.run("autotagging verify --cache")
    project.run("autotagging restore")
    assert project.jobs("snakemake -n") == set()


def test_a_damaged_object_of_the_remote_is_not_taken(project, tmp_path):
    project.run("dvc push")
    (path,) = (
        path for path in tmp_path.glob("storage/files/md5/*/*") if path.stat().st_size == 10**8
    )
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1])
    clone = project.clone(tmp_path / "clone")
    clone.environment["HOME"] = project.environment["HOME"]
    assert "failed" in clone.run("dvc pull", code=1).lower()
    assert not object_path(
        clone.folder / ".dvc/cache/files/md5", path.parent.name + path.name
    ).exists()
    project.run("dvc push")


def test_a_lost_file_of_the_remote_is_pushed_again_once_its_listing_is_deleted(project, tmp_path):
    project.run("dvc push")
    folder = "results/evaluate/lookup/seed-0"
    lock = (project.folder / "dvc.lock").read_text()
    listing = re.findall(rf"path: {folder}\n\s+hash: md5\n\s+md5: (\w+\.dir)", lock)[-1]
    cache = project.folder / ".dvc/cache/files/md5"
    contents = files_of(folder, object_path(cache, listing))
    metrics = next(md5 for path, md5 in contents if path.name == "metrics.json")
    storage = tmp_path / "storage/files/md5"
    object_path(storage, metrics).unlink()
    assert "everything is up to date" in project.run("dvc push").lower()  # as the docs say
    object_path(storage, listing).unlink()
    project.run("dvc push")
    assert object_path(storage, metrics).is_file()
    assert object_path(storage, listing).is_file()
