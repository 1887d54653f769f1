"""A sweep with DVC's queue, and its figure. `make test-remotes` runs this."""

import re
import shutil
import time

import pandas as pd
import pytest

from autotagging.commands import PACKAGE, find_commands

pytestmark = [pytest.mark.remotes, pytest.mark.xdist_group("tiny_run")]

FIGURES = set(find_commands(PACKAGE / "steps/figures"))
MET_BY_ALL = "results/figures/mel_examples.svg"


@pytest.fixture(scope="module")
def project(recorded_copy):
    """A project with a queue of two learning rates and two seeds that has run, two at a time.

    Its corpus is in corpora/, as by default.
    """
    project = recorded_copy()
    corpora = project.environment.pop("AUTOTAGGING_CORPORA")
    shutil.copytree(corpora, project.folder / "corpora", ignore=shutil.ignore_patterns("magna*"))
    project.run("dvc exp run --queue -S train.learning_rate=0.0005,0.002 -S train.seeds=[0],[1]")
    project.run("dvc queue start --jobs 2")
    try:
        while "Queued" in (status := project.run("dvc queue status")) or "Running" in status:
            time.sleep(2)
    finally:
        project.run("dvc queue stop --kill")
    assert status.count("Success") == 4, status
    return project


@pytest.fixture(scope="module")
def names(project):
    return re.findall(r"\[([\w-]+)\]", project.run("dvc exp list"))


def test_an_experiment_trains_and_does_no_earlier_step_again(project, names):
    assert len(names) == 4
    for name in names:
        assert project.jobs(f"dvc queue logs {name}") == {"train", "evaluate", *FIGURES}


def test_experiments_find_the_corpus_of_the_project(project, names):
    """Figures of clips are the same in all of them; without audio they would be others."""
    commits = ["HEAD", *names]
    figures = {
        project.run(f"dvc get . {MET_BY_ALL} --rev {commit} --show-url") for commit in commits
    }
    assert len(figures) == 1


def test_the_table_has_what_varies_and_the_metrics(project):
    shown = project.run(
        "dvc exp show --only-changed --csv --drop ^(src|results|workflow)/|^(Executor|State|rev)"
    )
    columns = shown[shown.index("Experiment,") :].splitlines()[0].split(",")
    assert {"train.learning_rate", "train.seeds"} < set(columns)
    assert {"crnn.roc_auc_macro", "crnn.loss"} < set(columns)
    assert not any("/" in column for column in columns)


def test_the_figure_has_every_training_and_the_commit(project):
    project.run("autotagging sweep --parameter train.learning_rate --out sweep")
    table = pd.read_csv(project.folder / "sweep/sweep.csv")
    trainings = table[["model", "train.learning_rate", "seed"]]
    assert [*trainings.itertuples(index=False, name=None)] == [
        ("crnn", 0.0005, 0),
        ("crnn", 0.0005, 1),
        ("crnn", 0.001, 0),
        ("crnn", 0.002, 0),
        ("crnn", 0.002, 1),
    ]
    assert "<svg" in (project.folder / "sweep/sweep.svg").read_text()
    shutil.rmtree(project.folder / "sweep")


def test_an_experiment_becomes_the_project(project, names):
    project.run(f"dvc exp apply {names[0]}")
    project.run("autotagging restore")
    assert project.jobs("snakemake -n") == set()
    assert project.jobs("dvc repro") == set()
