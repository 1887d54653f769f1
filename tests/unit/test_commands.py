"""Subcommands are the modules that define a function of their own name."""

import json
import re
import subprocess
import sys

import pytest

from autotagging.commands import PACKAGE, figure_title, find_commands
from commands import autotagging

CAPTURED = {"check": True, "capture_output": True, "text": True}


def test_a_command_is_a_module_with_a_function_of_its_own_name(tmp_path):
    (tmp_path / "draw.py").write_text('def draw():\n    """Draw.\n\n    More.\n    """\n')
    (tmp_path / "flags.py").write_text('def other():\n    """Is no command."""\n')
    (tmp_path / "nested.py").write_text('class A:\n    def nested(self):\n        """No."""\n')
    (tmp_path / "_hidden.py").write_text('def _hidden():\n    """No command."""\n')
    (tmp_path / "broken_import.py").write_text("import no_such_module\n")
    (tmp_path / "room").mkdir()
    (tmp_path / "room/room.py").write_text('def room():\n    """In another room."""\n')
    assert find_commands(tmp_path) == {"draw": "Draw."}


def test_a_command_without_a_title_is_named(tmp_path):
    (tmp_path / "draw.py").write_text("def draw():\n    pass\n")
    with pytest.raises(ValueError, match=r"draw\.py: a command needs a docstring"):
        find_commands(tmp_path)


def test_the_title_of_a_figure_is_the_first_line_of_its_docstring():
    assert figure_title("figure_2") == "Fig. 2: merging of tags."
    for name in ("figure_99", "flags"):
        with pytest.raises(KeyError, match=rf"{name}\.py: no command of this name"):
            figure_title(name)


@pytest.mark.parametrize(
    ("group", "folders"), [((), ("steps", "tools")), (("figures",), ("steps/figures",))]
)
def test_help_lists_every_command_with_its_title_and_imports_none(group, folders):
    script = (
        "import sys\nfrom autotagging.cli import main\n"
        "try:\n    main()\n"
        "finally:\n    assert not {'numpy', 'pandas', 'matplotlib'} & set(sys.modules)\n"
    )
    command = [sys.executable, "-c", script, *group, "--help"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    words = " ".join(printed.replace("│", " ").replace("`", "").split())
    for folder in folders:
        for name, title in find_commands(PACKAGE / folder).items():
            assert f" {name} {title.replace('`', '')} " in words


@pytest.mark.parametrize("command", ["apply", "undo", "no\x1b[31msuch"])
def test_an_error_can_not_change_the_terminal(tmp_path, command):
    shown = autotagging(command, tmp_path / "a\x1b[31m\u202e", code=2)
    assert shown.startswith("autotagging: ")
    assert "\ufffd[31m" in shown
    assert shown.endswith("\n")
    assert shown[:-1].isprintable()


def test_steps_and_tools_are_found():
    steps = {"download", "merge_tags", "split", "extract_mel", "train", "evaluate"}
    assert steps < set(find_commands(PACKAGE / "steps"))
    tools = {"data_card", "export", "plots_template", "record", "restore", "verify"}
    assert tools < set(find_commands(PACKAGE / "tools"))


HELP = """
import contextlib, io, json, sys
from autotagging import cli
from autotagging.commands import PACKAGE, find_commands
from autotagging.tools._unloaded import LIBRARIES, leave_out_libraries
leave_out_libraries(sys.argv[1:])
rooms = {"steps": [], "tools": [], "steps/figures": ["figures"]}
app, helps = cli._make_app(), {}
for room, group in rooms.items():
    for name in find_commands(PACKAGE / room):
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            app.help_print([*group, name])
        helps[name] = printed.getvalue()
loaded = {name for name in LIBRARIES if getattr(sys.modules.get(name), "__file__", None)}
print(json.dumps([helps, sorted(loaded)]))
"""


def test_help_is_the_same_without_the_libraries_and_loads_none():
    (shown, loaded), (expected, _) = (
        json.loads(subprocess.run([sys.executable, "-c", HELP, *flags], **CAPTURED).stdout)
        for flags in (["--help"], ["--", "--help"])
    )
    assert loaded == []
    assert shown == expected
    assert "merge_tags" in shown
    assert "--clips-per-tag" in shown["mel_examples"]


def test_help_shows_no_empty_value_of_python():
    command = [sys.executable, "-c", HELP, "--help"]
    helps, _ = json.loads(subprocess.run(command, **CAPTURED).stdout)
    assert "[default: 5]" in helps["tag"]
    python = re.compile(r"\bNone\b|\(\)|\[\]|default:\s*\]")
    assert {name: found for name, text in helps.items() if (found := python.findall(text))} == {}
