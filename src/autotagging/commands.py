"""Find the modules that are subcommands of `autotagging`, without importing them.

A module is a command if it defines a function of its own name. The first line of that function's
docstring is the command's title. For figures and tables, the help, the rule's message and
Snakemake's report all use this title.
"""

import ast
from pathlib import Path

PACKAGE = Path(__file__).parent


def find_commands(folder: Path) -> dict[str, str]:
    """Find the commands among the modules of a folder.

    Parameters
    ----------
    folder
        Folder of the package; its subfolders and modules with a leading underscore are ignored.

    Returns
    -------
    titles
        Title of each command by its name, in alphabetical order.

    Raises
    ------
    ValueError
        The function of a command has no docstring.
    """
    titles = {}
    for path in sorted(folder.glob("[!_]*.py")):
        title = _title(path)
        if title is not None:
            titles[path.stem] = title
    return titles


def figure_title(name: str) -> str:
    """Give the title of a figure or table; KeyError if steps/figures has no such command."""
    path = PACKAGE / f"steps/figures/{name}.py"
    title = _title(path) if path.is_file() else None
    if title is None:
        raise KeyError(f"{path}: no command of this name")
    return title


def package_title(folder: Path) -> str:
    """Give the first line of a package's docstring."""
    return _first_line(ast.parse((folder / "__init__.py").read_text(encoding="utf-8")), folder)


def _title(path: Path) -> str | None:
    """Give the title of the command in a module; None if the module is no command."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name == path.stem:
            return _first_line(node, path)
    return None


def _first_line(node: ast.FunctionDef | ast.Module, path: Path) -> str:
    text = ast.get_docstring(node)
    if not text:
        raise ValueError(f"{path}: a command needs a docstring whose first line is its title")
    return text.splitlines()[0]
