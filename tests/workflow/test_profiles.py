"""The profiles for clusters, as far as they can be checked without one."""

import re
import subprocess
import sys

import pytest
import yaml

from conftest import ROOT


def profile(name):
    return yaml.safe_load((ROOT / f"profiles/{name}/config.yaml").read_text())


def training_commands(printed):
    """Commands of the jobs that train, by model."""
    lines = [line for line in printed.splitlines() if "autotagging train" in line]
    commands = [line.split("Shell command: ")[1] for line in lines]
    return {command.split("--model ")[1].split()[0]: command for command in commands}


def test_the_profile_of_several_nodes_has_only_what_they_need():
    """It is added to the other one."""
    several = profile("slurm-multi-worker")
    assert [*several] == ["set-resources"]
    assert [*several["set-resources"]] == ["train"]
    train = several["set-resources"]["train"]
    assert train["mpi"] == "srun"
    assert train["nodes"] == train["tasks"] > 1


def test_a_job_takes_no_more_threads_than_cores_were_asked_for():
    """Inside a job, the number of cores is that of the node, and only max-threads is passed on."""
    for name in ("slurm", "kubernetes"):
        settings = profile(name)
        assert settings["max-threads"] == settings["cores"]


def test_a_new_file_of_the_same_content_is_no_change_at_full_size():
    """With every profile: the official labels have 4.5 MB, the weights of 100 epochs 158 MB."""
    for name in {path.name for path in (ROOT / "profiles").iterdir()} - {"slurm-multi-worker"}:
        assert profile(name)["max-checksum-file-size"] == "200MB"


def test_results_may_be_objects_of_a_storage_provider():
    """`expand` refuses them, and what no rule makes is not among them."""
    for path in (ROOT / "workflow/rules").glob("*.smk"):
        text = path.read_text()
        assert text.count("expand(") == (path.name == "common.smk"), path
        inputs = "".join(re.findall(r"^    input:\n((?: {8}.*\n)+)", text, re.MULTILINE))
        assert not re.search(r"""[^(]("workflow/|PUBLISHED)""", inputs), path


def test_a_network_is_started_on_each_node_where_it_takes_several(make_project):
    project = make_project()
    alone = training_commands(project.run("snakemake -n -p"))
    assert all(command.startswith("autotagging train") for command in alone.values())
    project.replace("params.yaml", "devices: auto", "devices: multi_worker")
    project.replace("params.yaml", "models: [crnn,", "models: [crnn, statistics,")
    together = training_commands(project.run("snakemake -n -p"))
    assert together["crnn"].startswith("srun --nodes=$(squeue ")
    assert " --ntasks-per-node=1 " in together["crnn"]
    assert " --devices multi_worker " in together["crnn"]
    for name in ("lookup", "statistics"):
        assert together[name].startswith("autotagging train")
        assert " --devices auto " in together[name]


@pytest.mark.parametrize(
    "names",
    ["profiles/default", "profiles/slurm", "profiles/slurm --profile profiles/slurm-multi-worker"],
)
def test_no_home_folder_is_needed(make_project, names):
    home = "HOME=/dev/null/home XDG_CACHE_HOME=/dev/null/home/.cache"
    command = f"env {home} snakemake -n --workflow-profile {names} split"
    assert "split" in make_project().jobs(command)


def test_a_python_that_jobs_of_a_cluster_can_not_start_is_named(make_project, tmp_path):
    project, odd = make_project(), tmp_path / "an environment"
    odd.symlink_to(sys.prefix)
    command = [odd / "bin/python", "-m", "snakemake", "--workflow-profile", "profiles/slurm"]
    result = subprocess.run(
        [*command, "split"],
        cwd=project.folder,
        env=project.environment,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 1
    assert f"{odd}/bin/python: jobs of a cluster can't start a Python" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.xdist_group("tiny_run")
def test_the_snakefile_of_the_catalog_is_the_same_workflow(finished_copy):
    """With the same default target, it makes only the table that is missing."""
    project = finished_copy()
    (project.folder / "results/figures/table_4.md").unlink()
    assert project.jobs("snakemake -n --snakefile workflow/Snakefile") == {"table_4"}
