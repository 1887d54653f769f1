"""What others need to run the project: images, the workflow catalog, GitHub Actions."""

import os
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


PYTHON_STUB = """#!/bin/sh
case "$*" in *venv*) ;; *) exit 0 ;; esac
echo venv >> log
mkdir -p .venv/bin
printf '#!/bin/sh\\necho "pip $*" >> log\\ntest ! -e fail\\n' > .venv/bin/pip
chmod +x .venv/bin/pip
"""


@pytest.fixture
def installing(tmp_path):
    """Function that runs `make install` with a stub for Python; it gives the new lines of its log.

    The folder has locks of one package and of setuptools, with hashes.
    """
    shutil.copyfile(ROOT / "Makefile", tmp_path / "Makefile")
    (tmp_path / "pyproject.toml").touch()
    for name in ("requirements.lock", "requirements-gpu.lock"):
        lock = (
            f"# {name}\nnumpy==1 \\\n    --hash=sha256:ab\nsetuptools==2 \\\n    --hash=sha256:cd\n"
        )
        (tmp_path / name).write_text(lock)
    stub = tmp_path / "python stub"
    stub.write_text(PYTHON_STUB)
    stub.chmod(0o755)

    def run(*more, code=0):
        log = tmp_path / "log"
        log.write_text("")
        command = ["make", "install", f"PYTHON='{stub}'", *more]
        assert subprocess.run(command, cwd=tmp_path, capture_output=True).returncode == code
        return [re.sub(".*disable-pip-version-check ", "", line) for line in log.open()]

    return run


def test_only_another_lock_makes_the_environment_again(installing, tmp_path):
    """Not a new time of a file, as after `git checkout`, when a training may be using it."""
    own = "--no-deps --no-build-isolation -e .\n"
    whole = [
        "venv\n",
        "--require-hashes -r .venv/build.lock\n",
        "--require-hashes --no-build-isolation -r requirements.lock\n",
        own,
    ]
    assert installing() == whole
    assert (tmp_path / ".venv/build.lock").read_text() == (
        "setuptools==2 \\\n    --hash=sha256:cd\n"
    )
    assert installing() == []
    later = (tmp_path / ".venv/installed-requirements.lock").stat().st_mtime + 60
    for name in ("requirements.lock", "pyproject.toml"):
        os.utime(tmp_path / name, (later, later))
    assert installing() == [own]
    assert installing("LOCK=requirements-gpu.lock")[0] == "venv\n"
    assert installing("LOCK=requirements.lock") == whole


def test_the_lock_of_the_environment_stays_in_use(installing, tmp_path):
    installing("LOCK=requirements-gpu.lock")
    assert installing() == []
    lock = tmp_path / "requirements-gpu.lock"
    lock.write_text(f"{lock.read_text()}# as after `git pull`\n")
    later = (tmp_path / ".venv/installed-requirements-gpu.lock").stat().st_mtime + 60
    os.utime(lock, (later, later))
    whole = installing()
    assert whole[0] == "venv\n"
    assert whole[2].endswith("-r requirements-gpu.lock\n")
    lock.unlink()
    assert installing()[2].endswith("-r requirements.lock\n")


def test_an_interrupted_installation_begins_again(installing, tmp_path):
    installing()
    (tmp_path / "fail").touch()
    assert installing("LOCK=requirements-gpu.lock", code=2)[0] == "venv\n"
    (tmp_path / "fail").unlink()
    whole = installing()
    assert whole[0] == "venv\n"
    assert whole[2].endswith("-r requirements-gpu.lock\n")


def test_recipes_name_the_folder_of_the_environment():
    """The make of macOS looks for commands in its own PATH, not in the one that it exports."""
    recipes = re.findall(r"^\t@?(\S+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    outside = {"awk", "cmp", "cp", "echo", "rm", "touch", "{", "--generate-hashes", "--output-file"}
    variables = {"$(COMPILE)", "$(OUTSIDE)", "$(PIP)", "$(addprefix", "test-remotes", "#"}
    assert {each for each in recipes if not each.startswith("$(BIN)/")} <= outside | variables
