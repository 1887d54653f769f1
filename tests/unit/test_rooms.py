"""The rooms of the package: which there are, and that each imports only those below it."""

import pytest

from source import SOURCE, imported_modules

PACKAGE = SOURCE / "autotagging"
ROOMS = (
    "common",
    "corpus",
    "demo",
    "dataset",
    "labels",
    "mel",
    "features",
    "models",
    "training",
    "metrics",
    "reporting",
    "steps",
    "tagging",
    "tools",
)
"""From the lowest to the highest."""


def room_of(path):
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def upward(modules):
    """Imports that lead from a room to a higher one, or to the command line above them."""
    height = {room: number for number, room in enumerate((*ROOMS, "commands", "cli"))}
    return [
        f"{path.relative_to(PACKAGE)} imports {imported.relative_to(PACKAGE)}"
        for path, imports in modules.items()
        for imported in sorted(imports)
        if height[room_of(imported)] > height[room_of(path)]
    ]


@pytest.fixture(scope="module")
def modules():
    paths = [path for room in ROOMS for path in sorted((PACKAGE / room).rglob("*.py"))]
    return {path: imported_modules(path) for path in paths}


def test_every_module_is_in_a_room():
    entries = {path.name for path in PACKAGE.iterdir() if path.name != "__pycache__"}
    assert entries == {*ROOMS, "__init__.py", "cli.py", "commands.py"}


def test_a_room_imports_only_rooms_below_it(modules):
    assert upward(modules) == []


def test_an_import_of_a_higher_room_is_shown(modules):
    files, plot = PACKAGE / "common/files.py", PACKAGE / "reporting/plots/style.py"
    assert upward({files: {plot}}) == ["common/files.py imports reporting/plots/style.py"]
    assert upward({plot: {PACKAGE / "commands.py"}})


@pytest.mark.parametrize("model", [path.parent for path in PACKAGE.glob("models/*/__init__.py")])
def test_a_model_imports_no_other_model(modules, model):
    for path in model.glob("*.py"):
        others = {imported for imported in modules[path] if imported.parent.parent == model.parent}
        assert {imported.parent for imported in others} <= {model}


def test_a_model_has_no_folder_in_its_folder():
    """Rules list the files of a model's folder alone."""
    folders = [path for path in PACKAGE.glob("models/*/*") if path.is_dir()]
    assert [path for path in folders if path.name != "__pycache__"] == []
