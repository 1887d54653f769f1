"""The versions that a step writes are those of all libraries that its results depend on."""

import ast
import sys
from importlib import import_module

import pytest

from autotagging import models
from autotagging.reporting.outputs import LIBRARIES as OF_FIGURES
from autotagging.steps import download, evaluate
from source import SOURCE, closure

STEPS = SOURCE / "autotagging/steps"
PACKAGES = {"sklearn": "scikit-learn", "yaml": "pyyaml"}
NO_INFLUENCE = {"cyclopts", "joblib", "jsonschema", "pyyaml", "requests", "threadpoolctl", "tqdm"}
"""Libraries that read flags and settings, show progress, or distribute work."""
NOT_IMPORTED = {"libsndfile", "pillow"}  # by name: by soundfile and Matplotlib


def imported(start, model="crnn"):
    """Packages that a module's closure imports and that may change results."""
    names = set()
    asked = SOURCE / "autotagging/common/versions.py"  # only for their versions
    for path in closure(start, model) - {asked}:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                names.add(node.module)
    tops = {name.split(".")[0] for name in names} - {"autotagging", *sys.stdlib_module_names}
    return {PACKAGES.get(name, name) for name in tops} - NO_INFLUENCE


@pytest.mark.parametrize("step", ["merge_tags", "split", "extract_mel_shard"])
def test_a_step_names_what_it_imports(step):
    libraries = {*import_module(f"autotagging.steps.{step}").LIBRARIES}
    assert libraries - NOT_IMPORTED == imported(STEPS / f"{step}.py")


def test_download_names_what_the_demo_corpus_needs():
    assert {*download.SYNTHESIS, *download.LIBRARIES} - NOT_IMPORTED == imported(
        STEPS / "download.py"
    ) - {"soxr"}


@pytest.mark.parametrize("model", models.MODELS)
def test_a_model_names_what_its_training_and_evaluation_import(model):
    trained, scored = {*models.libraries(model)}, imported(STEPS / "evaluate.py", model)
    if models.reads(model) == "tables":
        module = SOURCE / f"autotagging/models/{model}/__init__.py"
        assert trained == imported(module, model) | {"numpy", "pandas"}
        scored -= {"keras", "tensorflow"} - trained
    elif models.reads(model) == "mel":
        assert trained == imported(STEPS / "train.py", model)
    else:  # not each of these models has the functions of SciPy
        assert trained == imported(STEPS / "train.py", model) | {"scipy"}
    assert {*trained, *evaluate.LIBRARIES} == scored


def test_a_model_adds_libraries_of_its_own(monkeypatch):
    assert models.libraries("lookup") == ("numpy", "pandas")
    monkeypatch.setattr("autotagging.models.lookup.LIBRARIES", ("scipy",), raising=False)
    assert models.libraries("lookup") == ("numpy", "pandas", "scipy")


def test_figures_name_what_any_of_them_imports():
    found = set().union(*(imported(path) for path in (STEPS / "figures").glob("[!_]*.py")))
    assert {*OF_FIGURES} - NOT_IMPORTED == found
