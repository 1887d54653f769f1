"""The command `autotagging`, with a subcommand per step, figure and tool."""

import os
import sys

from cyclopts import App, CycloptsError, Parameter

from autotagging.commands import PACKAGE, find_commands, package_title
from autotagging.common.errors import UserError
from autotagging.common.progress import show_without_failing


def main() -> None:
    """Run one subcommand; an error that the user can correct is one line and exit code 2."""
    show_without_failing()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        _make_app()(exit_on_error=False, print_error=False)
    except (UserError, CycloptsError) as error:
        sys.exit(_fail(str(error)))
    except OSError as error:
        place = f"{error.filename2 or error.filename}: " if error.filename else ""
        sys.exit(_fail(f"{place}{error.strerror or error}"))
    except KeyboardInterrupt:
        sys.exit(130)


def _fail(message: str) -> int:
    print(f"autotagging: {' '.join(message.split())}", file=sys.stderr)
    return 2


def _make_app() -> App:
    """Register the functions without importing them, so that each step loads only its own code."""
    app = App(
        name="autotagging",
        help="Music auto-tagging on MagnaTagATune, step by step.",
        name_transform=str,
        default_parameter=Parameter(consume_multiple=True, negative=()),
    )
    for room in ("steps", "tools"):
        _add_commands(app, room)
    figures = App(name="figures", help=package_title(PACKAGE / "steps/figures"))
    _add_commands(figures, "steps/figures")
    app.command(figures)
    return app


def _add_commands(app: App, room: str) -> None:
    module = f"{PACKAGE.name}.{room.replace('/', '.')}"
    for name, title in find_commands(PACKAGE / room).items():
        app.command(f"{module}.{name}:{name}", name=name, help=title)
