"""Which modules of the package a module imports, read from its source."""

import ast
from functools import cache
from pathlib import Path

import yaml

from conftest import ROOT

SOURCE = ROOT / "src"
_MODELS = SOURCE / "autotagging/models"


def modules_of_stage(name: str, *, model: str = "") -> set[Path]:
    """Modules that a stage of dvc.yaml lists, itself or by their folders."""
    deps = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"][name]["deps"]
    paths = [ROOT / dep.replace("${item.model}", model) for dep in deps if dep.startswith("src/")]
    return {file for path in paths for file in (path.glob("*.py") if path.is_dir() else [path])}


def closure(start: Path, model: str) -> set[Path]:
    """A module and all it imports, directly or not, with the packages they are in.

    The registry of models imports one by its name: that of the model given.
    """
    seen, todo = set(), [start]
    while todo:
        path = todo.pop()
        if path not in seen:
            seen.add(path)
            todo += imported_modules(path)
            if path == _MODELS / "__init__.py":
                todo += sorted((_MODELS / model).glob("*.py"))
            package = path.parent / "__init__.py"
            if package.is_file() and has_code(package):
                todo.append(package)
    return {path for path in seen if has_code(path)}


@cache
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
    return found


def module_path(name: str) -> Path | None:
    """Source of a module of the package; None for other modules, and for those without code."""
    base = SOURCE.joinpath(*name.split("."))
    for path in (base / "__init__.py", base.with_suffix(".py")):
        if path.is_file() and has_code(path):
            return path
    return None


@cache
def has_code(path: Path) -> bool:
    """Tell whether a module is more than its docstring."""
    return len(ast.parse(path.read_text()).body) > 1
