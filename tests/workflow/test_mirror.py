"""Snakefile and dvc.yaml describe one pipeline; both know all code that a step runs."""

import base64
import itertools
import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from autotagging.common.params import OWN_SETTINGS
from autotagging.models import MODELS, reads
from autotagging.tools._cache import dvc_hash
from conftest import ROOT
from source import SOURCE, closure, has_code

FEATURES = "src/autotagging/features"
INCLUDED = re.findall(
    r'^include: "workflow/rules/(\w+)\.smk"', (ROOT / "Snakefile").read_text(), re.M
)
STEPS = tuple(name for name in INCLUDED if name != "common")


def step_code(step: str, model: str = "crnn") -> set[str]:
    """Paths of all modules of the package that a step runs, with the packages they are in."""
    room = SOURCE / "autotagging/steps"
    if step == "figures":
        starts = sorted((room / "figures").glob("[!_]*.py"))
    else:
        starts = [path for path in room.glob(f"{step}*.py") if path.stem in commands_of(step)]
    paths = set().union(*(closure(start, model) for start in starts))
    return {path.relative_to(ROOT).as_posix() for path in paths}


def commands_of(step: str) -> set[str]:
    """Rules of a step: each is a command with a module of its own."""
    rules = (ROOT / f"workflow/rules/{step}.smk").read_text()
    return set(re.findall(r"^rule (\w+):", rules, flags=re.MULTILINE))


def code_of(deps: set[str]) -> set[str]:
    """Files of the package among deps, those in folders included."""
    paths = [ROOT / dep for dep in deps if dep.startswith("src/")]
    files = [file for path in paths for file in (path.rglob("*") if path.is_dir() else [path])]
    return {
        file.relative_to(ROOT).as_posix()
        for file in files
        if file.is_file() and "__pycache__" not in file.parts
    }


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
    keys = {f"train.{name}" for name in OWN_SETTINGS if "training_settings" in text}
    for section, key, model in used.findall("\n".join([text, *called])):
        if section == "train" and not (key or model):
            continue  # config["train"][name], of OWN_SETTINGS
        keys.add(f"{section}.<model>" if model else f"{section}.{key}".rstrip("."))
    return keys


def parameter_differences(step: str, stage: dict) -> set[str]:
    """Parameters that a rule uses and its stage does not know, and commands of other rules."""
    known = stage.get("params", [])
    own = {f"train.{name}" for name in MODELS}.intersection(known)
    known = [*known, *(["train.<model>"] if own else [])]
    in_matrix = {"models", "train.seeds"} if "/seed-" in stage["outs"][0] else set()
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


def code_differences(step: str, listed: set[str], model: str = "crnn") -> list[str]:
    """Compare the files and folders of code that a rule or stage lists with what its step runs."""
    missing = step_code(step, model) - code_of(listed)
    used = set().union(*(step_code(step, name) for name in MODELS))
    differences = [f"{path} is not listed" for path in sorted(missing)]
    return differences + [
        f"{entry} is not used"
        for entry in sorted(listed)
        if entry.startswith("src/") and not used & code_of({entry})
    ]


def unused_modules(step: str, listed: set[str]) -> set[str]:
    """Modules that a step lists and that it runs with no model."""
    used = set().union(*(step_code(step, model) for model in MODELS))
    return {
        path for path in code_of(listed) - used if path.endswith(".py") and has_code(ROOT / path)
    }


def lock_differences(lock: dict, params: dict, root: Path) -> list[str]:
    """Compare dvc.lock with the parameters and tracked files it was made from."""
    differences = []
    for name, stage in lock["stages"].items():
        for dep in stage.get("deps", []):
            if dep["path"].startswith("results/"):
                continue
            if dvc_hash(root / dep["path"]) != dep["md5"]:
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
    """Inputs and sources of each output of the workflow, by snakemake's own account."""
    found = {}
    for path in (tiny_run.folder / ".snakemake/metadata").iterdir():
        record = json.loads(path.read_text())
        sources = re.findall(r"'((?:src|workflow)/\S+) [0-9a-f]{16}'", "\n".join(record["params"]))
        files = set().union(*(files_of(source) for source in sources))
        found[base64.b64decode(path.name).decode()] = {*record["input"], *files}
    return found


def files_of(source: str) -> set[str]:
    """A file itself, or the files in a folder without its subfolders."""
    path = ROOT / source
    files = [path] if path.is_file() else [file for file in path.iterdir() if file.is_file()]
    return {file.relative_to(ROOT).as_posix() for file in files}


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


def test_rules_and_stages_list_the_same_code(outputs):
    """But for the code of features: a stage of DVC is alike for all models, a job is not."""
    for name, several in stages().items():
        for stage in several:
            (out,) = stage["outs"]
            inputs = [paths for output, paths in outputs.items() if output.startswith(f"{out}/")]
            deps = set(stage["deps"]) - {FEATURES}
            assert code_of(set().union(*inputs)) == code_of(deps), name


@pytest.mark.parametrize("model", MODELS)
def test_only_models_on_features_run_the_code_of_features(model):
    features = any(path.startswith(f"{FEATURES}/") for path in step_code("train", model))
    assert reads(model) == "features" or not features


def test_every_rule_lists_at_least_the_code_of_its_command(outputs):
    for output, inputs in outputs.items():
        _, step, *rest = output.split("/")
        command = "extract_mel_shard" if rest[0].startswith("shard-") else step
        model = rest[0] if rest[0] in MODELS else "crnn"
        module = SOURCE / f"autotagging/steps/{command}.py"
        if step == "figures":
            part = rest[1] if rest[0] == "versions" else rest[0]
            name = Path(part).stem.partition("-")[0]  # of versions/<name>-figure.json
            module = SOURCE / f"autotagging/steps/figures/{name}.py"
        used = {path.relative_to(ROOT).as_posix() for path in closure(module, model)}
        assert used <= inputs, output


@pytest.mark.parametrize("step", STEPS)
def test_every_stage_lists_the_code_of_its_step(step):
    for stage in stages()[step]:
        model = next((name for name in MODELS if f"/{name}/" in stage["outs"][0]), "crnn")
        assert code_differences(step, set(stage["deps"]), model) == []


def test_the_lowest_version_of_snakemake_is_that_of_the_package():
    (lowest,) = re.findall(r'^min_version\("(.+)"\)', (ROOT / "Snakefile").read_text(), re.M)
    assert f'"snakemake>={lowest}"' in (ROOT / "pyproject.toml").read_text()


@pytest.mark.parametrize("step", STEPS)
def test_every_stage_lists_the_files_of_its_rules(step):
    """DVC does not read rules: there, for instance, parameters become flags."""
    for stage in stages()[step]:
        rules = {dep for dep in stage["deps"] if dep.startswith("workflow/rules/")}
        assert rules == {f"workflow/rules/{step}.smk", "workflow/rules/common.smk"}


def test_train_lists_no_module_that_it_does_not_run():
    listed = set().union(*(stage["deps"] for stage in stages()["train"]))
    assert unused_modules("train", listed) == set()
    assert unused_modules("train", {*listed, "src/autotagging/corpus/delimited.py"}) == {
        "src/autotagging/corpus/delimited.py"
    }


@pytest.mark.parametrize("model", MODELS)
def test_a_model_is_trained_without_the_code_of_others(model):
    others = {f"src/autotagging/models/{name}/" for name in MODELS if name != model}
    (stage,) = (stage for stage in stages()["train"] if "/crnn/" in stage["outs"][0])
    deps = {dep.replace("/models/crnn", f"/models/{model}") for dep in stage["deps"]}
    for path in code_of(deps) | step_code("train", model):
        assert not path.startswith(tuple(others))


@pytest.mark.parametrize("step", STEPS)
def test_every_stage_knows_the_parameters_and_rules_of_its_step(step):
    for stage in stages()[step]:
        assert parameter_differences(step, stage) == set()
        assert stage["cmd"].split()[-1].startswith((*stage["outs"], "figures"))


def test_the_model_that_dvc_offers_has_all_its_files():
    """Without model.json nothing can open the weights."""
    artifacts = yaml.safe_load((ROOT / "dvc.yaml").read_text())["artifacts"]
    trained = {out for stage in stages()["train"] for out in stage["outs"]}
    assert {artifact["path"] for artifact in artifacts.values()} <= trained


def test_a_missing_parameter_and_a_wrong_rule_are_shown():
    (stage,) = stages()["split"]
    assert parameter_differences("split", {**stage, "params": []}) == rule_parameters("split")
    assert "split.seed" in rule_parameters("split")
    stage["cmd"] = stage["cmd"].replace("--allowed-rules split", "--allowed-rules splitt")
    assert parameter_differences("split", stage) == {"split", "splitt"}


def test_code_that_is_missing_or_too_much_is_shown():
    (stage,) = stages()["split"]
    deps = set(stage["deps"])
    found = code_differences("split", deps - {"src/autotagging/dataset"})
    assert "src/autotagging/dataset/subsets.py is not listed" in found
    assert code_differences("split", {*deps, "src/autotagging/mel"}) == [
        "src/autotagging/mel is not used"
    ]


def test_a_change_to_a_plot_never_retrains():
    reporting = {path for path in step_code("figures") if "/reporting/" in path}
    assert reporting
    for step in {*STEPS} - {"figures"}:
        assert not reporting & step_code(step)


def test_the_committed_lock_is_of_the_committed_code_and_parameters():
    lock = yaml.safe_load((ROOT / "dvc.lock").read_text())
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    assert lock_differences(lock, params, ROOT) == []
    deps = {
        stage["outs"][0]["path"]: {dep["path"] for dep in stage["deps"]}
        for stage in lock["stages"].values()
    }
    for several in stages().values():
        for stage in several:
            assert deps.pop(stage["outs"][0]) == set(stage["deps"])
    assert not deps


def test_a_lock_that_is_not_current_is_found():
    lock = yaml.safe_load((ROOT / "dvc.lock").read_text())
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    params["train"]["learning_rate"] = 0.5
    lock["stages"]["split"]["deps"][0]["md5"] = "0" * 32
    split_dep = lock["stages"]["split"]["deps"][0]["path"]
    found = lock_differences(lock, params, ROOT)
    assert "train@crnn-0: train.learning_rate" in found
    assert split_dep.startswith("results/") or f"split: {split_dep}" in found
