"""What dvc.lock tells of a result that no job of the folder made."""

import hashlib
import json
import subprocess
from pathlib import Path

import pytest
import yaml

from autotagging.common.errors import UserError
from autotagging.tools import provenance

RESULT = Path("results/train/crnn/seed-0/model.json")
MODEL = {"devices": "CPU, 2 threads", "versions": {"keras": "3.15.1"}}


def md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


@pytest.fixture
def pulled(tmp_path, monkeypatch):
    """A folder with one result, dvc.lock, and DVC's cache."""
    monkeypatch.chdir(tmp_path)
    for name in ("Snakefile", "params.yaml"):
        (tmp_path / name).touch()
    RESULT.parent.mkdir(parents=True)
    RESULT.write_text(json.dumps(MODEL))
    entry = {"md5": md5(RESULT.read_bytes()), "relpath": RESULT.name}
    Path("cache/files/md5/ab").mkdir(parents=True)
    Path("cache/files/md5/ab/cd.dir").write_text(json.dumps([entry]))
    stage = {
        "cmd": "snakemake --cores all -- \n  results/train",
        "deps": [
            {"path": "workflow/rules/train.smk", "md5": "0"},
            {"path": "src/a.py", "md5": "1"},
            {"path": "results/split", "md5": "2.dir"},
        ],
        "params": {"params.yaml": {"corpus": "demo", "train.crnn": {"units": [1, 2]}}},
        "outs": [{"path": str(RESULT.parent), "md5": "abcd.dir"}],
    }
    Path("dvc.lock").write_text(yaml.safe_dump({"stages": {"train@crnn-0": stage}}))
    monkeypatch.setattr(provenance, "cache_folder", lambda: Path("cache/files/md5"))


def test_a_result_from_dvc_is_told_by_its_stage(pulled):
    found = provenance.describe(RESULT)
    assert found["job"] == "DVC's stage train@crnn-0"
    assert found["command"] == "snakemake --cores all -- results/train"
    assert found["in_dvc_lock"]
    assert found["parameters"] == {"corpus": "demo", "train.crnn.units": "[1, 2]"}
    assert found["inputs"] == {"results/split": {"md5": "2.dir"}}
    assert found["code"] == {"workflow/rules/train.smk": "0", "src/a.py": "1"}
    assert found["versions"] == {"keras": "3.15.1"}
    assert found["machine"] is None
    text = "\n".join(provenance._lines(found))
    assert "\ninputs      results/split  md5 2.dir\n" in text
    assert "\nmachine     trained on CPU, 2 threads, unknown: restored from DVC" in text


def test_the_commit_is_the_one_that_wrote_the_results_into_the_lock(pulled):
    """Not a later one, which recorded other stages."""
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run([*git, "init", "--quiet"], check=True)
    commits, lock = [], Path("dvc.lock").read_text()
    for text in (lock, f"{lock}\n# another stage"):
        Path("dvc.lock").write_text(text)
        subprocess.run([*git, "add", "dvc.lock"], check=True)
        subprocess.run([*git, "commit", "--quiet", "--message", "x"], check=True)
        head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True)
        commits.append(head.stdout.strip())
    assert provenance.describe(RESULT)["commit"]["id"] == commits[0]
    listing = Path("cache/files/md5/ab/cd.dir")
    listing.rename(listing.with_name("ef.dir"))
    Path("dvc.lock").write_text(lock.replace("abcd.dir", "abef.dir"))  # not committed
    assert provenance.describe(RESULT)["commit"] is None


def test_a_changed_result_is_not_that_of_the_lock(pulled):
    RESULT.write_text("{}")
    with pytest.raises(UserError, match="neither Snakemake's records nor dvc"):
        provenance.describe(RESULT)


@pytest.mark.parametrize(
    "changes",
    [
        {"outs": None},
        {"outs": ["results/split"]},
        {"outs": [{"path": "results/split", "md5": 1}]},
        {"deps": [{"md5": "0"}]},
        {"params": {"params.yaml": [1]}},
    ],
)
def test_a_damaged_stage_of_the_lock_is_named(pulled, changes):
    lock = yaml.safe_load(Path("dvc.lock").read_text())
    lock["stages"]["split"] = {**lock["stages"]["train@crnn-0"], **changes}
    Path("dvc.lock").write_text(json.dumps(lock))  # which is YAML, without aliases
    with pytest.raises(UserError, match=r"^dvc\.lock: stage split is damaged; `git checkout -- "):
        provenance.describe(RESULT)


def test_other_stages_that_a_user_has_added_are_no_damage(pulled):
    lock = yaml.safe_load(Path("dvc.lock").read_text())
    others = {
        "notify": {"cmd": "echo done", "deps": [{"path": "results/figures", "md5": "0.dir"}]},
        "publish": {"cmd": ["a", "b"], "outs": [{"path": "s3://bucket", "etag": "0"}]},
    }
    Path("dvc.lock").write_text(json.dumps({"stages": others | lock["stages"]}))
    assert provenance.describe(RESULT)["job"] == "DVC's stage train@crnn-0"


def test_without_the_list_of_its_folder_nothing_is_told(pulled):
    Path("cache/files/md5/ab/cd.dir").unlink()
    with pytest.raises(UserError, match="`autotagging restore` gets those of"):
        provenance.describe(RESULT)


def test_the_commit_says_where_it_comes_from():
    commit = {"id": "ab", "changed": True, "source": "log"}
    assert provenance._commit_text(commit) == "ab, with uncommitted changes"
    commit = {"id": "ab", "changed": False, "source": "dvc.lock"}
    assert provenance._commit_text(commit) == "ab, which recorded it in dvc.lock"
    assert provenance._commit_text(None) == "unknown"
