"""A figure or table is one name: of its module, rule, caption, test and files."""

import re
import subprocess
import sys

import pytest

from autotagging.commands import PACKAGE, find_commands
from conftest import ROOT

TITLES = find_commands(PACKAGE / "steps/figures")


def rules() -> dict[str, str]:
    """Text of each rule in figures.smk, by name."""
    text = (ROOT / "workflow/rules/figures.smk").read_text()
    _, *parts = re.split(r"^ *rule (\w+):\n", text, flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def test_every_figure_has_a_rule_a_caption_and_a_test_and_nothing_else_has():
    assert set(rules()) == {*TITLES, "figures"}
    captions = {path.stem for path in (ROOT / "workflow/report").glob("*.rst")}
    shown = r"figure_files|table_files|in_report"
    assert captions == {*(name for name in TITLES if re.search(shown, rules()[name])), "workflow"}
    tests = {path.stem for path in (ROOT / "tests/steps/figures").glob("test_*.py")}
    assert tests == {f"test_{name}" for name in TITLES}


def test_titles_are_told_apart():
    assert len(set(TITLES.values())) == len(TITLES)
    assert all(re.fullmatch(r"[A-Z].{8,60}\.", title) for title in TITLES.values())


@pytest.mark.parametrize("name", TITLES)
def test_a_rule_uses_its_own_name_throughout(name):
    rule = rules()[name]
    assert f'"logs/figures/{name}.log"' in rule
    assert f'figure_title("{name}")' in rule
    flags = "{params.files} {params.settings}" if "settings(" in rule else "{params.files}"
    assert f'"autotagging figures {name} {flags} > {{log}} 2>&1"' in rule
    files = r"results/figures/(?:versions/)?(\w+)[./]"
    named = re.findall(rf'(?:figure_files|table_files)\("(\w+)"\)|{files}', rule)
    assert {one or other for one, other in named} == {name}


def modules_loaded(*names: str) -> set[str]:
    """Names of all modules that importing the modules of some figures loads."""
    imports = "\n".join(f"import autotagging.steps.figures.{name}" for name in names)
    command = [sys.executable, "-c", f"import sys\n{imports}\nprint(*sys.modules)"]
    return set(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())


def test_importing_the_figures_loads_nothing_slow():
    assert not {"tensorflow", "keras", "librosa"} & modules_loaded(*TITLES)
    measuring = {"differences"}  # all others draw what was measured
    assert "sklearn" not in modules_loaded(*set(TITLES) - measuring)


def test_a_figure_loads_only_what_it_draws():
    package = "autotagging.reporting.plots."
    loaded = {name for name in modules_loaded("figure_5") if name.startswith(package)}
    names = ("curves", "lines", "many_curves", "style", "text")
    assert loaded == {f"{package}{name}" for name in names}
    assert "matplotlib" not in modules_loaded("table_4")
