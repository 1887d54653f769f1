"""What others need to run the project: images, the workflow catalog, GitHub Actions."""

import re
import shutil
import subprocess

import pytest
import yaml

from conftest import ROOT

DOCKERFILE = ROOT / "containers/Dockerfile"
APPTAINER = ROOT / "containers/autotagging.def"
ACTIONS = ROOT / ".github/workflows/ci.yml"


def sections(text: str) -> dict[str, str]:
    """Sections of an Apptainer definition, and its header."""
    header, *parts = re.split(r"^%(\w+)\n", text, flags=re.MULTILINE)
    return {"": header, **dict(zip(parts[::2], parts[1::2], strict=True))}


def lock_python() -> str:
    """Version of Python that wrote dvc.lock's results, the oldest one that is supported."""
    return re.search(r'requires-python = ">=([\d.]+),', (ROOT / "pyproject.toml").read_text())[1]


def test_both_images_have_the_locked_environment_on_the_same_base():
    docker, apptainer = DOCKERFILE.read_text(), sections(APPTAINER.read_text())
    base = f"python:{lock_python()}-slim-bookworm"
    assert f"\nFROM {base}\n" in docker
    assert f"\nBootstrap: docker\nFrom: {base}\n" in apptainer[""]
    for text in (docker, apptainer["post"]):
        assert re.search(r"pip install .*--require-hashes --requirement \S*", text)
    assert "LOCK=requirements.lock\n" in docker
    assert "LOCK=requirements.lock\n" in apptainer["arguments"]


def test_all_that_the_images_copy_is_there():
    copied = re.findall(r"^COPY (?:--\S+ )?(.+) \S+$", DOCKERFILE.read_text(), re.MULTILINE)
    names = {name for line in copied for name in line.split()}
    listed = sections(APPTAINER.read_text())["files"].split("\n")
    names |= {line.split()[0] for line in listed if line.strip() and "{{" not in line}
    assert {"requirements.lock", "requirements-gpu.lock", "pyproject.toml", "src"} <= names
    assert [name for name in names if not (ROOT / name).exists()] == []


def test_all_files_of_the_project_belong_to_the_user_of_the_image():
    """DVC writes into .dvc and dvc.lock."""
    text = DOCKERFILE.read_text()
    user, copy = text.index("useradd --uid 1000 "), text.index("\nCOPY --chown=autotagging . .\n")
    assert user < copy < text.index("\nUSER 1000\n")


def test_an_image_has_no_results_and_no_environment():
    ignored = (ROOT / ".dockerignore").read_text().split("\n")
    made = (ROOT / ".gitignore").read_text().split("\n")
    folders = {"corpora", "logs", "results", "unfinished", ".venv", ".snakemake"}
    assert folders <= set(ignored)
    assert folders <= {line.strip("/") for line in made}


def test_git_leaves_out_what_is_on_another_disk(tmp_path):
    """A folder may be a link, which a pattern with a slash at its end does not match."""
    shutil.copy(ROOT / ".gitignore", tmp_path)
    for name in ("corpora", "logs", "results", "unfinished", ".venv", ".snakemake"):
        (tmp_path / name).symlink_to(tmp_path.parent)
    for command in ("git init --quiet", "git add --all"):
        subprocess.run(command.split(), cwd=tmp_path, check=True)
    listed = subprocess.run(["git", "ls-files"], cwd=tmp_path, capture_output=True, text=True)
    assert listed.stdout.split() == [".gitignore"]


@pytest.mark.skipif(not shutil.which("hadolint"), reason="hadolint is not installed")
def test_the_linter_finds_no_fault_in_the_dockerfile():
    result = subprocess.run(["hadolint", DOCKERFILE], capture_output=True, text=True)
    assert result.stdout == ""


def test_the_catalog_finds_the_workflow():
    """workflow/Snakefile, config/README.md, and how to run the workflow."""
    assert (ROOT / "workflow/Snakefile").read_text().startswith('workflow.include("../Snakefile", ')
    assert (ROOT / "config/README.md").is_file()
    usage = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert set(usage["software-stack-deployment"].values()) == {False}
    assert usage["report"]
    readme = (ROOT / "README.md").read_text().lower()
    assert "snakemake" in readme
    assert "workflow" in readme


def test_every_section_of_the_parameters_is_in_the_catalogs_page():
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    page = (ROOT / "config/README.md").read_text()
    own = {"demo", "figures"}
    assert [name for name in params if f"`{name}`" not in page and name not in own] == []


def test_github_runs_what_continuous_integration_runs():
    workflow = yaml.safe_load(ACTIONS.read_text())
    (job,) = workflow["jobs"].values()
    assert [step["run"] for step in job["steps"] if "run" in step] == [".ci/run"]
    uses = [step["uses"] for step in job["steps"] if "uses" in step]
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", name) for name in uses)
    assert lock_python() in job["strategy"]["matrix"]["python"]
    assert (ROOT / ".ci/run").stat().st_mode & 0o111
