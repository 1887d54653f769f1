"""The pipeline on a real Slurm, with a corpus of 24 clips; `make test-cluster` runs this."""

import hashlib
import json
import os
import signal

import pandas as pd
import pytest

from cluster.conftest import THREADS

pytestmark = pytest.mark.cluster

RUN = "snakemake --workflow-profile profiles/slurm"
TRAINED = "results/train/crnn/seed-0"
BEFORE_TRAINING = ("download", "merge_tags", "split", "extract_mel")


@pytest.fixture(scope="module")
def whole_run(make_project):
    """A project whose whole pipeline ran on the cluster."""
    project = make_project()
    project.run(RUN)
    return project


def digests(project, folder="results"):
    """SHA-256 of each result, by its path."""
    return {
        str(path.relative_to(project.folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (project.folder / folder).rglob("*")
        if path.is_file()
    }


def states(project):
    return [job["JobState"] for job in project.slurm_jobs()]


def test_a_whole_run_gives_the_bytes_of_a_local_run(whole_run, local_run):
    assert digests(whole_run) == digests(local_run)
    assert whole_run.jobs("snakemake -n") == whole_run.jobs(f"{RUN} -n") == set()


def test_every_job_is_a_plain_job_of_slurm_but_the_local_ones(whole_run):
    jobs = whole_run.slurm_jobs()
    assert {job["JobState"] for job in jobs} == {"COMPLETED"}
    assert not any("ArrayJobId" in job for job in jobs)
    rules = [job["Comment"].removeprefix("rule_").split("_wildcards_")[0] for job in jobs]
    assert set(rules) == whole_run.jobs("snakemake -n --forceall")  # `all` is in neither
    assert len(rules) == len(set(rules)) + 3  # two shards and two models, trained and evaluated


def test_a_job_asks_for_what_its_rule_says(whole_run):
    """A network for a GPU; 2 GB, 250 MB for each of 32 clips, 1 GB of cache; at most a day."""
    jobs = {job["Comment"]: job for job in whole_run.slurm_jobs()}
    network = jobs["rule_train_wildcards_crnn_0"]
    assert network["NumCPUs"] == "8"
    assert network["MinMemoryNode"] == "11000M"
    assert network["TimeLimit"] == "1-00:00:00"
    assert network["TresPerJob"] == "gres:gpu:1"
    table = jobs["rule_train_wildcards_lookup_0"]
    assert table["TimeLimit"] == "01:00:00"
    assert "TresPerJob" not in table
    assert jobs["rule_split"]["NumCPUs"] == "1"


def test_a_killed_training_is_started_again_and_gives_the_same_bytes(make_project, local_run):
    """By scancel without retries, with the other way to ask for a GPU; then by the kernel."""
    project = make_project(*BEFORE_TRAINING)
    gres = "--set-resources train:gres=gpu:1 train:gpu=0"
    with project.training(f"{RUN} --retries 0 {gres} -- {TRAINED}/model.json") as process:
        (job,) = project.slurm_jobs()
        assert job["TresPerNode"] == "gres:gpu:1"
        project.run(f"scancel {job['JobId']}")
    assert process.returncode == 1
    assert not any((project.folder / TRAINED).glob("*"))
    with project.training(f"{RUN} -- {TRAINED}/model.json") as process:
        os.kill(project.training_process(), signal.SIGKILL)
    assert process.returncode == 0
    assert states(project) == ["CANCELLED", "FAILED", "COMPLETED"]
    assert digests(project, TRAINED) == digests(local_run, TRAINED)


def test_snakemake_may_be_killed_while_its_job_goes_on(make_project, local_run):
    """The second job waits for the first, and has nothing left to train."""
    project = make_project(*BEFORE_TRAINING)
    with project.training(f"{RUN} -- {TRAINED}/model.json") as process:
        process.kill()
    project.run("snakemake --unlock")
    project.run(f"{RUN} -- {TRAINED}/model.json")
    assert states(project) == ["COMPLETED", "COMPLETED"]
    assert digests(project, TRAINED) == digests(local_run, TRAINED)


def test_two_tasks_of_srun_train_together(make_project, local_run):
    """On two nodes, with one GPU each; their devices are CPUs, and dropout differs from one's."""
    project = make_project(*BEFORE_TRAINING)
    project.replace("params.yaml", "devices: auto", "devices: multi_worker")
    project.run(f"{RUN} --profile profiles/slurm-multi-worker -- {TRAINED}/model.json")
    (job,) = project.slurm_jobs()
    assert (job["NumNodes"], job["NumTasks"], job["TresPerNode"]) == ("2", "2", "gres:gpu:1")
    devices = json.loads((project.folder / TRAINED / "model.json").read_text())["devices"]
    assert devices == f"2 workers, CPU, {THREADS} threads each"
    together, alone = (
        pd.read_csv(each.folder / TRAINED / "history.csv") for each in (project, local_run)
    )
    assert together["val_loss"].tolist() == pytest.approx(alone["val_loss"].tolist(), abs=0.02)


def test_dvc_repro_runs_its_stages_on_the_cluster(make_project, local_run):
    project = make_project()
    project.environment["SNAKEMAKE_PROFILE"] = "profiles/slurm"
    project.run("dvc repro")
    assert len(project.slurm_jobs()) == len(project.jobs("snakemake -n --forceall")) + 3
    assert digests(project) == digests(local_run)
    assert "up to date" in project.run("dvc status")


def test_results_of_the_cluster_are_recorded_in_dvc(whole_run):
    whole_run.run("autotagging record")
    assert "up to date" in whole_run.run("dvc status")
    assert whole_run.jobs(f"{RUN} -n") == set()
