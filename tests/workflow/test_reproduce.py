"""benchmarks/reproduce.py: two clones in other surroundings, and the first two steps in each."""

import contextlib
import importlib
import io
import json
import re
import shutil

import pytest

from autotagging.tools._cache import dvc_hash
from conftest import ROOT

LABELS = "results/merge_tags/labels.csv"
ANNOTATIONS = "results/download/annotations_final.csv"


pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def reproducing():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "benchmarks")
        yield importlib.import_module("reproduce")


@pytest.fixture(scope="module")
def compared(reproducing, make_project, tmp_path_factory):
    """Folder of two clones that ran, the exit code, and what was printed."""
    project, folder = make_project(), tmp_path_factory.mktemp("clones")
    project.commit()
    printed = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(printed):
        patch.chdir(project.folder)
        code = reproducing.reproduce(folder, 1, tiny=False, target=LABELS)
    return folder, code, printed.getvalue().splitlines()


def test_two_clones_give_the_same_bytes(compared, reproducing):
    folder, code, printed = compared
    one, two = reproducing.two_surroundings(1)
    for name in ("USER", "LOGNAME", "TZ", "LC_ALL"):
        assert one.environment[name] != two.environment[name]
    assert (one.umask, one.cores) != (two.umask, two.cores)
    files = [path for path in (folder / one.folder / "results").rglob("*") if path.is_file()]
    count = len(files)
    assert code == 0
    assert f"{count} of {count} files in results/ have the same SHA-256 in both clones" in printed
    assert "networks were trained and scored on 1 threads in both" in printed
    modes = {path.stat().st_mode & 0o077 for path in (folder / two.folder / "results").iterdir()}
    assert modes == {0}
    stage = "download: not as in dvc.lock: it was recorded with other"
    assert any(line.startswith(stage) for line in printed)  # of more clips


def clones(compared, reproducing, tmp_path):
    """Measured clones: the first one, and a copy of it."""
    folder, _, _ = compared
    one, _ = reproducing.two_surroundings(1)
    first = reproducing.Clone(folder / one.folder, one)
    copy = reproducing.Clone(tmp_path / "copy", one)
    shutil.copytree(first.path, copy.path)
    return first, copy


def test_a_difference_is_told_with_its_cause(compared, reproducing, tmp_path):
    """A tag less in the corpus: what follows is named as such."""
    first, copy = clones(compared, reproducing, tmp_path)
    annotations, labels = copy.path / ANNOTATIONS, copy.path / LABELS
    annotations.write_bytes(annotations.read_bytes().replace(b'"1"', b'"0"', 1))
    labels.write_text(labels.read_text().replace("clip_id", "clip", 1))
    for clone in (first, copy):
        clone.measure()
    assert reproducing.differences(first, copy) == [ANNOTATIONS, LABELS]
    cause, caused = reproducing.explain(first, copy)
    assert caused == (
        f"{LABELS}: its input {ANNOTATIONS} differs; line 1: "
        f"{first_line(first)[:60]!r} and {first_line(copy)[:60]!r}"
    )
    expected = "same inputs, command, code, versions and processor: its step is not reproducible"
    assert cause.startswith(f"{ANNOTATIONS}: {expected}; line ")


def first_line(clone) -> str:
    return (clone.path / LABELS).read_text().splitlines()[0]


def test_another_number_of_threads_is_told(compared, reproducing, tmp_path):
    first, copy = clones(compared, reproducing, tmp_path)
    (copy.path / ANNOTATIONS).write_text("")
    (copy.path / "results/merge_tags/tags.csv").unlink()
    for path in (copy.path / ".snakemake/metadata").rglob("*"):
        if path.is_file():
            record = json.loads(path.read_text())
            command = re.sub("--threads [0-9]+", "--threads 77", record["shellcmd"])
            path.write_text(json.dumps({**record, "shellcmd": command}))
    for clone in (first, copy):
        clone.measure()
    threads, alone = reproducing.explain(first, copy)
    assert alone == "results/merge_tags/tags.csv: only one run has it"
    assert threads.startswith(f"{ANNOTATIONS}: threads ['1'] and ['77']; line 1: ")


def test_results_of_the_lock_are_compared_by_dvcs_hashes(compared, reproducing, tmp_path):
    first, copy = clones(compared, reproducing, tmp_path)
    stage = {"deps": [], "outs": [{"path": "results/merge_tags"}]}
    md5 = dvc_hash(first.path / "results/merge_tags")
    stage["outs"][0]["md5"] = md5
    other = {"deps": [{"path": LABELS}], "outs": [{"path": "results/train"}]}
    other["outs"][0]["md5"] = "0"
    lock = {"stages": {"merge_tags": stage, "train": other}}
    (copy.path / "dvc.lock").write_text(json.dumps(lock))
    same, changed = reproducing.compare_with_lock(copy)
    assert same == "merge_tags: as in dvc.lock"
    assert changed == "train: not as in dvc.lock: other versions, threads or processor"
    (copy.path / LABELS).write_text("edited")
    changed, follows = reproducing.compare_with_lock(copy)
    assert changed == "merge_tags: not as in dvc.lock: other versions, threads or processor"
    assert follows == "train: not as in dvc.lock: its input results/merge_tags is not"
    stage["deps"] = [{"path": "params.yaml", "md5": "0"}]
    (copy.path / "dvc.lock").write_text(json.dumps(lock))
    changed, _ = reproducing.compare_with_lock(copy)
    assert changed.endswith("it was recorded with other code: params.yaml")
    stage |= {"deps": [], "params": {"params.yaml": {"corpus": "demo", "demo.clips": 7}}}
    (copy.path / "dvc.lock").write_text(json.dumps(lock))
    changed, _ = reproducing.compare_with_lock(copy)
    assert changed.endswith("it was recorded with other parameters: demo.clips")
