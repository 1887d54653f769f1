"""What a person does with Snakemake and DVC, in order, on a tiny corpus."""

import json
import re

import pandas as pd
import pytest

from autotagging.commands import PACKAGE, find_commands
from projects import Project

FIGURES = set(find_commands(PACKAGE / "steps/figures"))


@pytest.mark.xdist_group("tiny_run")
def test_everything_is_there_after_snakemake(tiny_run):
    results = tiny_run.folder / "results"
    names = {path.stem for path in (results / "figures").iterdir()}
    assert names - {"versions"} == FIGURES
    metrics = json.loads((results / "evaluate/crnn/seed-0/metrics.json").read_text())
    assert metrics["corpus"] == "demo"
    assert metrics["n_clips"] == 4
    assert len(pd.read_csv(results / "train/crnn/seed-0/history.csv")) == 1
    assert not list(results.rglob(".partial-*"))


@pytest.mark.xdist_group("tiny_run")
def test_results_hold_no_path_of_this_machine(tiny_run, shared_folder):
    for path in (tiny_run.folder / "results").rglob("*"):
        if path.suffix in {".json", ".csv", ".md", ".svg", ".html"}:
            assert str(shared_folder) not in path.read_text(), path


@pytest.mark.xdist_group("tiny_run")
def test_no_text_of_a_result_has_a_name_in_the_place_of_its_value(tiny_run):
    """As in a Python text that lacks its f."""
    for path in (tiny_run.folder / "results").rglob("*"):
        if path.suffix in {".md", ".html", ".svg"}:
            found = re.findall(r"\{[A-Za-z_]+[.(}][^}]*", path.read_text(encoding="utf-8"))
            assert not found, path


@pytest.mark.xdist_group("tiny_run_that_changes")
def test_dvc_alone_makes_the_same_bytes(tiny_run, run_by_dvc):
    """`dvc repro` in a fresh clone runs every stage, and gives what snakemake gave."""
    project, ran = run_by_dvc
    assert {"download", "merge_tags", "split", "extract_mel", "train", "evaluate"} <= ran
    for path in sorted((tiny_run.folder / "results").rglob("*")):
        if path.is_file():
            copy = project.folder / path.relative_to(tiny_run.folder)
            assert copy.read_bytes() == path.read_bytes(), path.name


@pytest.fixture(scope="module")
def run_by_dvc(make_project) -> tuple[Project, set[str]]:
    """A project in which `dvc repro` has run elsewhere, and the rules whose jobs it ran."""
    project = make_project()
    project.environment |= {"PYTHONHASHSEED": "2", "TZ": "Asia/Tokyo"}
    return project, project.jobs("dvc repro")


@pytest.mark.xdist_group("tiny_run")
def test_record_after_snakemake_leaves_dvc_nothing_to_do(recorded_run):
    assert recorded_run.jobs("dvc repro") == set()
    assert "roc_auc_macro" in recorded_run.run("dvc metrics show")


@pytest.mark.xdist_group("tiny_run_that_changes")
def test_snakemake_and_dvc_take_turns(run_by_dvc):
    """The life of a project; each step begins where the one before ended."""
    project, _ = run_by_dvc
    assert project.jobs("snakemake --cores all") == set()
    project.run("autotagging record")
    assert project.jobs("dvc repro") == set()
    project.commit()

    change_what_changes_no_result(project)
    count_otherwise(project)
    plan_for_one_more_synonym(project)
    keep_what_is_not_recorded(project)
    go_back_to_the_old_count(project)
    edit_the_code_of_plots(project)
    lose_the_cache(project)
    record_nothing_but_the_results(project)
    run_with_one_more_synonym(project)


SYNONYMS = "[strange, weird]", "[strange, weird, eerie]"
WEIGHTS = "results/train/crnn/seed-0/weights.npz"
NOT_UP_TO_DATE = "not up to date with params.yaml and the code"


def change_what_changes_no_result(project):
    project.replace("params.yaml", "cache: 1.0", "cache: 0.5")
    project.replace("params.yaml", "checkpoint_minutes: 10", "checkpoint_minutes: 5")
    assert project.jobs("snakemake -n") == set()
    assert "up to date" in project.run("dvc status")
    project.run("git checkout --quiet -- params.yaml")


def count_otherwise(project):
    """An option of a model trains, evaluates and compares it again, and nothing else."""
    project.replace("params.yaml", "pseudo_count: 1.0", "pseudo_count: 2.0")
    trained = (project.folder / WEIGHTS).stat().st_mtime_ns
    ran = project.jobs("dvc repro")
    assert {"train", "evaluate", "table_4"} <= ran <= {"train", "evaluate", *FIGURES}
    assert (project.folder / WEIGHTS).stat().st_mtime_ns == trained
    assert project.jobs("snakemake -n") == set()
    project.commit()


def plan_for_one_more_synonym(project):
    """It changes the tags, never the spectrograms; what is not up to date is not recorded."""
    project.replace("workflow/resources/tags.yaml", *SYNONYMS)
    planned = project.jobs("snakemake -n")
    assert {"merge_tags", "split", "train"} <= planned
    assert not {"download", "extract_mel_shard", "extract_mel"} & planned
    assert NOT_UP_TO_DATE in project.run("autotagging record", code=2)
    project.run("git checkout --quiet -- workflow")


def keep_what_is_not_recorded(project):
    """Such results are neither overwritten by a restore nor taken for recorded."""
    project.replace("params.yaml", "learning_rate: 0.001", "learning_rate: 1e-04")
    planned = project.jobs("snakemake -n")
    assert {"train", "evaluate", "table_4"} <= planned <= {"train", "evaluate", *FIGURES}
    message = project.run("autotagging restore", code=2)
    assert "dvc.lock belongs to other code or parameters; changed: train.learning_rate;" in message
    project.run("git checkout --quiet -- params.yaml")
    weights = project.folder / WEIGHTS
    kept = weights.read_bytes()
    weights.chmod(0o644)
    weights.write_bytes(b"trained, not recorded")
    message = project.run("autotagging restore", code=2)
    assert "results/ has files that are not recorded" in message
    assert weights.read_bytes() == b"trained, not recorded"
    weights.write_bytes(kept)
    project.run("autotagging restore")


def go_back_to_the_old_count(project):
    """DVC has the results of the old parameters; Snakemake is told so."""
    project.run("git checkout --quiet HEAD~1 -- params.yaml dvc.lock")
    assert "train" in project.jobs("snakemake -n")
    project.run("autotagging restore")
    assert project.jobs("snakemake -n") == set()
    assert project.jobs("dvc repro") == set()


def edit_the_code_of_plots(project):
    """A comment in it draws again and trains nothing."""
    style = project.folder / "src/autotagging/reporting/plots/style.py"
    style.write_text(style.read_text() + "\n# a comment\n")
    assert project.jobs("snakemake -n") == FIGURES
    project.run("git checkout --quiet -- src")
    assert project.jobs("snakemake -n") == set()


def lose_the_cache(project):
    """Results that the cache lacks are not taken for restored, and none is deleted."""
    for path in (project.folder / ".dvc/cache/files").rglob("*"):
        if path.is_file():
            path.chmod(0o644)
            path.unlink()
    moved = (project.folder / WEIGHTS).rename(project.folder / "weights.npz")
    before = sorted((project.folder / "results").rglob("*"))
    assert "DVC's cache lacks results" in project.run("autotagging restore", code=2)
    assert sorted((project.folder / "results").rglob("*")) == before
    moved.rename(project.folder / WEIGHTS)


def record_nothing_but_the_results(project):
    """No file that no rule makes, nothing where a result is missing, and no trial."""
    stray = project.folder / "results/extract_mel/shard-02.npy"
    stray.write_text("of an earlier setting")
    message = project.run("autotagging record", code=2)
    assert "no rule makes these files" in message
    assert "results/extract_mel/shard-02.npy" in message
    stray.unlink()

    moved = (project.folder / WEIGHTS).rename(project.folder / "weights.npz")
    message = project.run("autotagging record", code=2)
    assert f"results are missing, {WEIGHTS} the first" in message
    assert f"run `snakemake --cores all -- {WEIGHTS}`, then record" in message
    moved.rename(project.folder / WEIGHTS)

    project.run(
        'snakemake --cores all --config split={"untagged":"drop"} -- results/split/split.csv'
    )
    assert NOT_UP_TO_DATE in project.run("autotagging record", code=2)


def run_with_one_more_synonym(project):
    """The tags are merged, and nothing else runs before a training."""
    project.replace("workflow/resources/tags.yaml", *SYNONYMS)
    planned = project.jobs("snakemake -n -- results/figures/table_4.csv")
    assert planned == {"merge_tags", "split", "train", "evaluate", "table_4"}
    ran = project.jobs("snakemake --cores all -- results/split/split.csv")
    assert ran == {"merge_tags", "split"}
