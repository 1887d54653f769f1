"""What `autotagging record` and `restore` do apart from the usual round."""

import base64
import json
import os
import re
import shutil
import subprocess
from importlib.metadata import version

import pytest

from autotagging.common.files import sha256
from waiting import within

pytestmark = pytest.mark.xdist_group("tiny_run")


@pytest.mark.slow
def test_results_without_spectrograms_can_be_recorded_and_restored(finished_copy):
    """A model that reads only tables needs none; DVC's stages name their folder all the same."""
    project = finished_copy()
    project.replace("params.yaml", "models: [crnn, lookup]", "models: [lookup]")
    project.run("rm -r results/extract_mel results/figures")
    project.run("rm -r results/train/crnn results/evaluate/crnn")
    project.run("snakemake --cores 2")
    assert not (project.folder / "results/extract_mel").exists()
    told = project.run("autotagging record").splitlines()[-1]
    assert told == "results/ is recorded in DVC's cache and dvc.lock; commit dvc.lock"
    assert project.jobs("snakemake -n") == set()
    status = json.loads(project.run("dvc status --json"))
    assert set(status) <= {"extract_mel"}
    project.commit()
    project.run("rm -r results .snakemake/metadata")
    project.run("autotagging restore")
    assert json.loads(project.run("dvc status --json")) == status
    # Also of download, whose files need no new time: without a record, no change is noticed.
    records = {path.name for path in (project.folder / ".snakemake/metadata").iterdir()}
    assert base64.b64encode(b"results/download/clips.csv").decode() in records
    assert project.jobs("snakemake -n") == set()


@pytest.mark.slow
def test_without_snakemakes_records_results_are_not_taken_for_those_of_new_parameters(
    finished_copy,
):
    """As where .snakemake was deleted, or not copied: Snakemake then notices no change."""
    project = finished_copy()
    project.run("autotagging record")
    project.commit()
    project.run("rm -r .snakemake")
    for path in (project.folder / "workflow/resources").iterdir():
        os.utime(path, (0, 0))  # as where the results were made
    project.replace("params.yaml", "learning_rate: 0.001", "learning_rate: 0.002")
    printed = project.run("snakemake --cores 2")
    assert "Nothing to be done" in printed
    assert "warning: Snakemake has no record of what made " in printed
    assert "`autotagging restore` makes the records" in printed
    lock = (project.folder / "dvc.lock").read_bytes()
    message = project.run("autotagging record", code=2)
    assert "Snakemake has no record of what made " in message
    assert (project.folder / "dvc.lock").read_bytes() == lock
    project.run("git checkout --quiet -- params.yaml")
    project.run("autotagging restore")
    assert "warning" not in project.run("snakemake --cores 2")
    project.run("autotagging record")
    assert "up to date" in project.run("dvc status")


def test_results_that_no_job_here_wrote_are_not_recorded(finished_copy):
    """As after `dvc exp apply`, where a parameter is then set back by hand."""
    project = finished_copy()
    model = project.folder / "results/train/lookup/seed-0"
    table = project.folder / "results/figures/all_metrics.csv"
    replaced = model / "history.csv", model / "SHA256SUMS", table
    times = [path.stat().st_mtime_ns for path in replaced]
    before = sha256(replaced[0])
    replaced[0].write_text("of another experiment")
    replaced[1].write_text(replaced[1].read_text().replace(before, sha256(replaced[0])))
    table.write_text("of another order of models")
    for path, time in zip(replaced, times, strict=True):
        os.utime(path, ns=(time, time))
    told = "results/figures results/train/lookup/seed-0: not what Snakemake's job wrote there"
    assert f"warning: {told}" in project.run("snakemake -n")
    assert told in project.run("autotagging record", code=2)
    project.run("rm -r results/train/lookup/seed-0")
    assert {"train", "evaluate"} <= project.jobs("snakemake -n")


def test_what_is_not_as_its_step_wrote_it_is_not_recorded(finished_copy):
    """Here a metric was edited, and the time of its file was put back."""
    project = finished_copy()
    metrics = project.folder / "results/evaluate/lookup/seed-0/metrics.json"
    time = metrics.stat().st_mtime_ns
    metrics.write_bytes(
        metrics.read_bytes().replace(b'"roc_auc_macro": 0.', b'"roc_auc_macro": 9.')
    )
    os.utime(metrics, ns=(time, time))
    message = project.run("autotagging record", code=2)
    assert "metrics.json: not as its step wrote it" in message


def test_recorded_results_that_a_trial_has_replaced_come_back(recorded_copy):
    project = recorded_copy()
    results = project.folder / "results"

    def contents():
        files = (path for path in results.rglob("*") if path.is_file())
        return {path.relative_to(results): path.read_bytes() for path in files}

    before = contents()
    assert project.jobs('snakemake --cores 2 --config figures={"clips_per_tag":1}')
    assert contents() != before
    message = project.run("autotagging restore", code=2)
    assert "results/ has files that are not recorded and would be lost" in message
    project.run("rm -r results .snakemake/written")
    removed = results / "train/crnn/seed-9"  # of a seed that is no longer in params.yaml
    removed.mkdir(parents=True)
    (removed / "SHA256SUMS").write_text("not compared with dvc.lock\n")
    running = project.folder / ".dvc/tmp/rwlock"  # DVC's list of who is at work
    reader = {"pid": os.getpid(), "cmd": "snakemake"}
    running.write_text(json.dumps({"read": {str(results.resolve()): [reader]}}))
    assert "Snakemake or DVC is at work here" in project.run("autotagging restore", code=2)
    assert [path for path in results.rglob("*") if path.is_file()] == [removed / "SHA256SUMS"]
    running.unlink()
    printed = project.run(
        "prlimit --fsize=2000000 autotagging restore", code=2
    )  # as on a full disk
    assert "they could not be put in their place; is the disk full?" in printed
    project.run("autotagging restore")
    assert not (project.folder / ".snakemake/written/results/train/crnn/seed-9").exists()
    shutil.rmtree(removed)
    assert contents() == before
    name = "results/train/crnn/seed-0/SHA256SUMS"  # a checkout after this one would be noticed
    note = (project.folder / ".snakemake/written" / name).read_text()
    assert note.split()[1] == sha256(project.folder / name)
    assert project.jobs("snakemake -n") == set()


def test_dvc_deletes_nothing_while_snakemake_runs(recorded_copy):
    """It would delete the results of a changed step, and then fail at Snakemake's lock."""
    project = recorded_copy()
    wait = "touch ready; until [ -e go ]; do sleep 0.1; done; "
    project.replace(
        "workflow/rules/merge_tags.smk", '"autotagging merge', f'"{wait}autotagging merge'
    )
    before = {path for path in (project.folder / "results").rglob("*") if path.is_file()}
    lock = (project.folder / "dvc.lock").read_bytes()
    command = ["snakemake", "--cores", "1", "--", "results/merge_tags/labels.csv"]
    environment, folder = project.environment, project.folder
    with subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.DEVNULL) as run:
        try:
            assert within((folder / "ready").exists, seconds=60)
            remaining = {path for path in before if path.exists()}
            assert {path.parent.name for path in before - remaining} == {"merge_tags"}  # by its job
            for each, code in {
                "repro": 255,
                "exp run --set-param evaluate.threshold=0.4": 255,
                "commit --force merge_tags": 1,
            }.items():
                printed = project.run(f"dvc {each}", code=code)
                assert re.search(rf"is busy, .*\n +\(PID {run.pid}\): snakemake$", printed, re.M)
            assert "merge_tags" in project.run("dvc status")
            assert "params.yaml" not in project.run("git status --short")
            project.run("dvc exp run --queue --set-param evaluate.threshold=0.4")
            assert {path for path in before if path.exists()} == remaining
            assert (folder / "dvc.lock").read_bytes() == lock
        finally:
            (folder / "go").touch()
    assert run.returncode == 0
    assert not json.loads((folder / ".dvc/tmp/rwlock").read_text()).get("read")
    assert project.jobs("dvc repro merge_tags") <= {"merge_tags"}


def test_results_are_not_recorded_as_of_what_was_edited_meanwhile(recorded_copy):
    """DVC reads the parameters of a stage when it has ended."""
    project = recorded_copy()
    wait = "touch ready; until [ -e go ]; do sleep 0.1; done; "
    project.replace("workflow/rules/split.smk", '"autotagging split', f'"{wait}autotagging split')
    lock = (project.folder / "dvc.lock").read_bytes()
    command, folder = ["dvc", "repro", "--single-item", "split"], project.folder
    with subprocess.Popen(
        command, cwd=folder, env=project.environment, stderr=subprocess.PIPE, text=True
    ) as run:
        try:
            assert within((folder / "ready").exists, seconds=60)
            project.replace("params.yaml", "scheme: random", "scheme: track")
        finally:
            (folder / "go").touch()
        printed = run.stderr.read()
    assert "params.yaml: edited while this stage ran" in printed
    assert run.returncode == 255
    assert (folder / "dvc.lock").read_bytes() == lock


def test_results_of_another_rule_are_not_restored(recorded_copy):
    """Here one number of a rule is no longer that of params.yaml."""
    project = recorded_copy()
    rules = "workflow/rules/split.smk"
    project.replace(rules, 'seed=config["split"]["seed"]', "seed=7")
    status = json.loads(project.run("dvc status --json"))
    assert status == {"split": [{"changed deps": {rules: "modified"}}]}
    message = project.run("autotagging restore", code=2)
    assert f"dvc.lock belongs to other code or parameters; changed: {rules};" in message
    assert "split" in project.jobs("snakemake -n")  # nothing was marked as of this rule
    project.run("git checkout --quiet -- workflow")
    project.run("autotagging restore")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("schema: '2.0'\n<<<<<<< HEAD\nstages: {}\n", "dvc.lock, line 2: marks of a merge"),
        ("", "dvc.lock: no stages"),
    ],
)
def test_a_damaged_lock_is_named(make_project, content, message):
    project = make_project()
    (project.folder / "dvc.lock").write_text(content)
    for command in ("record", "restore"):
        printed = project.run(f"autotagging {command}", code=2)
        assert message in printed
        assert "Traceback" not in printed


def test_an_error_in_the_parameters_is_named(make_project):
    project = make_project()
    project.replace("params.yaml", "  n_tags: 50", "  n_tags: yes")
    printed = project.run("autotagging record", code=2)
    assert re.search(r"^params\.yaml, line \d+: unclear value yes; write a finite", printed, re.M)
    assert "autotagging: `snakemake --summary` failed: see above" in printed


@pytest.mark.slow
def test_results_of_other_versions_are_named_and_recorded_only_if_told(finished_copy):
    """A description of soxr 9.9 that Python finds first stands in for another installation."""
    project = finished_copy()
    project.commit()
    other = project.folder / "src/soxr-9.9.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: soxr\nVersion: 9.9\n")
    printed = project.run("snakemake --cores 1")
    named = rf"extract_mel, figures: made by soxr {version('soxr')}, now 9.9"
    assert re.search(
        rf"^warning: {named}\. They are not made again by themselves", printed, re.MULTILINE
    )
    assert "Nothing to be done" in printed
    again = "rm -r results/figures; snakemake --cores all --forcerun extract_mel_shard"
    for command, code in (("autotagging record", 2), ("autotagging doctor --quick", 1)):
        printed = project.run(command, code=code)
        assert named in printed
        assert again in printed
    project.run("autotagging record --other-versions")
    assert "up to date" in project.run("dvc status")


def test_a_damaged_object_of_the_cache_is_not_restored(finished_copy):
    """DVC trusts its cache: here a metric of 0.641 became 0.941."""
    project = finished_copy()
    project.run("autotagging record")
    metrics = project.folder / "results/evaluate/lookup/seed-0/metrics.json"
    content = metrics.read_bytes()
    cached = next(
        path
        for path in (project.folder / ".dvc/cache/files").rglob("*")
        if path.is_file() and path.read_bytes() == content
    )
    cached.chmod(0o644)
    cached.write_bytes(content.replace(b'"roc_auc_macro": 0.', b'"roc_auc_macro": 9.'))
    cached.chmod(0o444)  # DVC takes such a file for unchanged
    metrics.unlink()
    message = project.run("autotagging restore", code=2)
    assert "not what dvc.lock says: results/evaluate/lookup/seed-0/metrics.json" in message
    assert cached.name in message

    cached.unlink()
    metrics.unlink()
    name = metrics.relative_to(project.folder)
    message = project.run("autotagging record", code=2)
    assert re.search(rf"1 of \d+ results are missing, {name} the first", message)
    assert f"run `snakemake --cores all -- {name}`, then record" in message
    project.replace("params.yaml", "confidence: 0.95", "confidence: 0.9")
    assert "run `snakemake --cores all`, then record" in project.run("autotagging record", code=2)
    project.replace("params.yaml", "confidence: 0.9", "confidence: 0.95")
    project.run(f"snakemake --cores 2 -- {name}")
    assert metrics.read_bytes() == content
