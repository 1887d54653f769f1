"""A sweep with DVC's queue, and its figure. `make test-remotes` runs this."""

import re
import shutil
import time
from pathlib import Path

import pandas as pd
import pytest
import yaml

from autotagging.commands import PACKAGE, find_commands
from autotagging.tools._cache import files_of, object_path

pytestmark = [pytest.mark.remotes, pytest.mark.xdist_group("tiny_run")]

FIGURES = set(find_commands(PACKAGE / "steps/figures"))
WAVEFORM = Path("results/figures/figure_3.svg")


@pytest.fixture(scope="module")
def remotes(tmp_path_factory):
    """Folder of a git repository, origin, and of a remote of DVC, storage."""
    return tmp_path_factory.mktemp("remotes")


@pytest.fixture(scope="module")
def project(recorded_copy, remotes):
    """A project with a queue of two learning rates and two seeds that has run, two at a time.

    Its corpus is in corpora/, as by default. Its remotes are there before the experiments: DVC
    pushes the results of an experiment to the remote of the commit that it starts from.
    """
    project = recorded_copy()
    project.run(f"git init --quiet --bare {remotes}/origin")
    project.run(f"git remote add origin {remotes}/origin")
    project.run(f"dvc remote add --default storage {remotes}/storage")
    project.commit()
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


def test_experiments_find_the_corpus_of_the_project(project):
    """The figure of a waveform is drawn in all of them, alike for each of the two seeds."""
    commits = ["HEAD", *project.run("dvc exp list --sha-only").split()]
    assert len(commits) == 5
    assert len({drawn(project, commit)[WAVEFORM] for commit in commits}) == 2


def drawn(project, commit):
    """MD5 of each figure and table of a commit."""
    lock = yaml.safe_load(project.run(f"git show {commit}:dvc.lock"))
    (out,) = lock["stages"]["figures"]["outs"]
    listing = object_path(project.folder / ".dvc/cache/files/md5", out["md5"])
    return dict(files_of(out["path"], listing))


def test_the_table_has_what_varies_and_the_metrics(project):
    shown = project.run(
        "dvc exp show --md --only-changed --drop ^(src|results|workflow)/|^(Executor|State)$"
    )
    header, _, *rows = [line for line in shown.splitlines() if line.startswith("|")]
    columns = {column.strip() for column in header.strip("|").split("|")}
    assert {"train.learning_rate", "train.seeds", "crnn.roc_auc_macro", "crnn.loss"} < columns
    assert not any("/" in column for column in columns)
    assert len(rows) == 6  # the folder, its commit and four experiments


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
    """One of the same seed; after another, the figures are drawn again without the old one."""
    for name in names:
        project.run(f"dvc exp apply {name}")
        params = yaml.safe_load((project.folder / "params.yaml").read_text())
        if params["train"]["seeds"] == [0]:
            break
    project.run("autotagging restore")
    assert project.jobs("snakemake -n") == set()
    assert project.jobs("dvc repro") == set()


def test_an_experiment_goes_to_another_clone(project, names, remotes, tmp_path):
    project.run("git reset --quiet --hard")
    project.run("git push --quiet origin HEAD")
    project.run("dvc push")
    project.run(f"dvc exp push origin {' '.join(names)}")
    clone = project.clone(tmp_path / "clone")
    clone.run(f"git remote set-url origin {remotes}/origin")
    message = clone.run("autotagging sweep --parameter train.learning_rate --out sweep", code=2)
    assert "DVC's cache lacks" in message or "no finished experiment" in message
    clone.run(f"dvc exp pull origin {' '.join(names)}")
    clone.run("dvc pull")
    clone.run("autotagging sweep --parameter train.learning_rate --out sweep")
    assert len(pd.read_csv(clone.folder / "sweep/sweep.csv")) == 5
