"""The locked environment: everything pinned and hashed, nothing by address."""

import re
import tomllib

import pytest

from conftest import ROOT


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-gpu.lock"])
def test_everything_is_pinned_with_hashes_and_without_addresses(name):
    text = (ROOT / name).read_text()
    assert "://" not in text
    assert "index-url" not in text
    assert set(re.findall(r"-c (.*)", text)) <= {"requirements.lock"}  # no path of a machine
    entries = re.split(r"\n(?=[a-z0-9])", text.strip())
    for entry in entries:
        assert re.match(r"[a-z0-9][a-z0-9._-]*==\S+", entry), entry.splitlines()[0]
        assert "--hash=sha256:" in entry, entry.splitlines()[0]


def test_every_direct_dependency_is_locked_once():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    optional = project["optional-dependencies"]
    command = (ROOT / "Makefile").read_text().partition("COMPILE := ")[2].partition("\n\n")[0]
    compiled = re.search(r"addprefix --extra ,([a-z ]+)", command)[1].split()
    assert {"pipeline", "dev"} <= set(compiled)
    wanted = [*project["dependencies"], *(each for name in compiled for each in optional[name])]
    pins = re.findall(r"^([a-z0-9._-]+)==", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    for requirement in wanted:
        if requirement.startswith("autotagging["):
            continue
        assert pins.count(re.match(r"[a-z0-9-]+", requirement).group()) == 1, requirement
    assert len(pins) == len(set(pins))


@pytest.mark.xdist_group("together")
def test_tests_of_a_group_go_to_one_worker(request):
    """pytest-xdist tells the group by the end of the name; not every pytest lets it."""
    if not request.config.getoption("loadgroup", False):
        pytest.skip("needs pytest-xdist with --dist loadgroup")
    assert request.node.nodeid.endswith("@together")
