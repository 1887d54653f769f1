"""Snakefile and dvc.yaml describe one pipeline; both know all code that a step runs."""

import ast
import hashlib
import itertools
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from autotagging.models import MODELS
from conftest import ROOT

SOURCE = ROOT / "src"
STEPS = ("download", "merge_tags", "split", "extract_mel", "train", "evaluate", "figures")


def imported_modules(path: Path) -> set[Path]:
    """Modules of the package that a module imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        found |= {module for name in names if (module := module_path(name))}
    if path == SOURCE / "autotagging/models/__init__.py":  # imports models by name
        found |= {module_path(f"autotagging.models.{name}") for name in MODELS}
    return found


def module_path(name: str) -> Path | None:
    base = SOURCE.joinpath(*name.split("."))
    for path in (base / "__init__.py", base.with_suffix(".py")):
        if path.is_file() and has_code(path):
            return path
    return None


def has_code(path: Path) -> bool:
    """Tell whether a module is more than its docstring."""
    return len(ast.parse(path.read_text()).body) > 1


def closure(start: Path) -> set[Path]:
    """A module and all it imports, directly or not, with the packages they are in."""
    seen, todo = set(), [start]
    while todo:
        path = todo.pop()
        if path not in seen:
            seen.add(path)
            todo += imported_modules(path)
            package = path.parent / "__init__.py"
            if package.is_file() and has_code(package):
                todo.append(package)
    return seen


def step_code(step: str) -> set[str]:
    """Paths of all code a step runs; the files that plots and pages read count, too."""
    module = SOURCE / f"autotagging/steps/{step}.py"
    starts = [module] if module.is_file() else module.with_suffix("").glob("[!_]*.py")
    paths = set().union(*map(closure, starts))
    if SOURCE / "autotagging/plots/style.py" in paths:
        paths.add(SOURCE / "autotagging/plots/paper.mplstyle")
    if SOURCE / "autotagging/pages.py" in paths:
        paths |= set((SOURCE / "autotagging/templates").iterdir())
    return {path.relative_to(ROOT).as_posix() for path in paths}


def stages() -> dict[str, list[dict]]:
    """Stages of dvc.yaml by step, with a matrix filled in."""
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    dvc = yaml.safe_load((ROOT / "dvc.yaml").read_text())
    filled = {}
    for step, stage in dvc["stages"].items():
        combinations = [{}]
        if "matrix" in stage:
            values = {"model": params["models"], "seed": params["train"]["seeds"]}
            assert set(stage["matrix"]) == set(values)
            combinations = [
                dict(zip(values, combination, strict=True))
                for combination in itertools.product(*values.values())
            ]
        filled[step] = [fill(stage, combination) for combination in combinations]
    return filled


def fill(value, items):
    if isinstance(value, dict):
        return {name: fill(child, items) for name, child in value.items() if name != "matrix"}
    if isinstance(value, list):
        return [fill(child, items) for child in value]
    for name, item in items.items():
        value = str(value).replace(f"${{item.{name}}}", str(item))
    return value


def mirror_differences(outputs: dict[str, set[str]], stages: dict[str, list[dict]]) -> list[str]:
    """Compare outputs and inputs of rules with outs and deps of stages."""
    differences = []
    for output, inputs in outputs.items():
        owners = [
            stage
            for several in stages.values()
            for stage in several
            if any(output.startswith(f"{out}/") for out in stage["outs"])
        ]
        if len(owners) != 1:
            differences.append(f"{output} is in the outs of {len(owners)} stages")
            continue
        known = [*owners[0]["deps"], *owners[0]["outs"]]
        differences += [
            f"{path}, input of {output}, is no dep of its stage"
            for path in sorted(inputs)
            if not any(path == dep or path.startswith(f"{dep}/") for dep in known)
        ]
    for step in stages:
        if not any(output.startswith(f"results/{step}/") for output in outputs):
            differences.append(f"stage {step} has no rule")
    return differences


NO_INFLUENCE = {"train.cache", "train.checkpoint_minutes"}
"""Parameters that change no result: no reason to train again."""


def rule_parameters(step: str) -> set[str]:
    """Keys of params.yaml that the rules of a step use, themselves or through common.smk."""
    used = re.compile(r"""config\["(\w+)"\](?:\["(\w+)"\]|(\[wildcards\.model\]))?""")
    common = (ROOT / "workflow/rules/common.smk").read_text()
    functions = dict(re.findall(r"^def (\w+)\(.*\n((?:(?: .*)?\n)+)", common, flags=re.MULTILINE))
    text = (ROOT / f"workflow/rules/{step}.smk").read_text()
    called = [body for name, body in functions.items() if re.search(rf"\b{name}\b", text)]
    if "epochs()" in text:  # written as config["demo" if ... else "train"]["epochs"]
        called.append('config["demo"]["epochs"] config["train"]["epochs"]')
    keys = set()
    for section, key, model in used.findall("\n".join([text, *called])):
        keys.add(f"{section}.<model>" if model else f"{section}.{key}".rstrip("."))
    return keys


def parameter_differences(step: str, stage: dict) -> set[str]:
    """Parameters that a rule uses and its stage does not know, and commands of other rules."""
    known = stage.get("params", [])
    own = {f"train.{name}" for name in MODELS}.intersection(known)
    known = [*known, *(["train.<model>"] if own else [])]
    in_matrix = {"models", "train.seeds"} if step in ("train", "evaluate") else set()
    missing = {
        key
        for key in rule_parameters(step) - in_matrix - NO_INFLUENCE
        if not any(key == name or key.startswith(f"{name}.") for name in known)
    }
    text = (ROOT / f"workflow/rules/{step}.smk").read_text()
    rules = set(re.findall(r"^ *rule (\w+):", text, re.MULTILINE))
    allowed = re.search(r"--allowed-rules (.+?) -- ", stage["cmd"].replace("\n", " ")).group(1)
    command = ["sh", "-c", f"echo {allowed}"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout
    return missing | (rules ^ set(printed.split()))


def code_differences(step: str, listed: set[str]) -> set[str]:
    """Compare the code that a rule or stage lists with what its step imports."""
    return {path for path in listed if path.startswith("src/")} ^ step_code(step)


def lock_differences(lock: dict, params: dict, root: Path) -> list[str]:
    """Compare dvc.lock with the parameters and tracked files it was made from."""
    differences = []
    for name, stage in lock["stages"].items():
        for dep in stage.get("deps", []):
            path = root / dep["path"]
            if dep["path"].startswith("results/"):
                continue
            if not path.is_file() or hashlib.md5(path.read_bytes()).hexdigest() != dep["md5"]:
                differences.append(f"{name}: {dep['path']}")
        for key, value in stage.get("params", {}).get("params.yaml", {}).items():
            found = params
            for part in key.split("."):
                found = found[part]
            if found != value:
                differences.append(f"{name}: {key}")
    return differences


@pytest.fixture(scope="module")
def outputs(tiny_run) -> dict[str, set[str]]:
    """Inputs of each output of the workflow, by snakemake's own account."""
    lines = tiny_run.run("snakemake --detailed-summary").splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("output_file"))
    columns = lines[start].split("\t")
    rows = [dict(zip(columns, line.split("\t"), strict=True)) for line in lines[start + 1 :]]
    return {row["output_file"]: set(row["input-file(s)"].split(",")) for row in rows}


pytestmark = pytest.mark.xdist_group("tiny_run")


def test_rules_and_stages_are_the_same_pipeline(outputs):
    assert tuple(stages()) == STEPS
    assert mirror_differences(outputs, stages()) == []


def test_the_mirror_shows_what_is_missing(outputs):
    broken = stages()
    broken["train"][0]["deps"].remove("results/split/split.csv")
    broken["split"][0]["outs"] = ["results/splits"]
    found = mirror_differences(outputs, broken)
    assert "results/split/leakage.csv is in the outs of 0 stages" in found
    assert any("results/split/split.csv, input of results/train" in line for line in found)


def test_every_rule_lists_the_code_of_its_step(outputs):
    for output, inputs in outputs.items():
        assert code_differences(output.split("/")[1], inputs) == set(), output


@pytest.mark.parametrize("step", STEPS)
def test_every_stage_lists_the_code_of_its_step(step):
    for stage in stages()[step]:
        assert code_differences(step, set(stage["deps"])) == set()


@pytest.mark.parametrize("step", STEPS)
def test_every_stage_knows_the_parameters_and_rules_of_its_step(step):
    for stage in stages()[step]:
        assert parameter_differences(step, stage) == set()
        assert stage["cmd"].split()[-1].startswith((*stage["outs"], "figures"))


def test_a_missing_parameter_and_a_wrong_rule_are_shown():
    (stage,) = stages()["split"]
    assert parameter_differences("split", {**stage, "params": []}) == rule_parameters("split")
    assert "split.seed" in rule_parameters("split")
    stage["cmd"] = stage["cmd"].replace("--allowed-rules split", "--allowed-rules splitt")
    assert parameter_differences("split", stage) == {"split", "splitt"}


def test_the_closure_shows_what_is_missing_and_what_is_too_much():
    (stage,) = stages()["split"]
    deps = set(stage["deps"])
    assert code_differences("split", deps - {"src/autotagging/files.py"}) == {
        "src/autotagging/files.py"
    }
    assert code_differences("split", {*deps, "src/autotagging/mel.py"}) == {
        "src/autotagging/mel.py"
    }


def test_a_change_to_a_plot_never_retrains():
    plots = {path for path in step_code("figures") if "/plots/" in path}
    assert plots
    for step in STEPS[:-1]:
        assert not plots & step_code(step)


def test_the_committed_lock_is_of_the_committed_code_and_parameters():
    lock = yaml.safe_load((ROOT / "dvc.lock").read_text())
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    assert lock_differences(lock, params, ROOT) == []
    names = {name.split("@")[0] for name in lock["stages"]}
    assert names == set(STEPS)


def test_a_lock_that_is_not_current_is_found():
    lock = yaml.safe_load((ROOT / "dvc.lock").read_text())
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    params["train"]["learning_rate"] = 0.5
    lock["stages"]["split"]["deps"][0]["md5"] = "0" * 32
    split_dep = lock["stages"]["split"]["deps"][0]["path"]
    found = lock_differences(lock, params, ROOT)
    assert "train@crnn-0: train.learning_rate" in found
    assert split_dep.startswith("results/") or f"split: {split_dep}" in found
