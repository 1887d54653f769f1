"""The command `autotagging`, with a subcommand per step, figure and tool."""

import locale
import math
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cyclopts import App, CycloptsError, Parameter

from autotagging.commands import PACKAGE, find_commands, package_title
from autotagging.common.errors import UserError, reason
from autotagging.common.progress import show_without_failing
from autotagging.tagging.printable import printable
from autotagging.tools._job_note import write_note
from autotagging.tools._unloaded import leave_out_libraries

_EXTRAS = dict.fromkeys(("mutagen", "onnxruntime", "soundfile", "soxr"), "tag")
_EXTRAS |= {"onnx": "export", "starlette": "serve", "tf2onnx": "export", "uvicorn": "serve"}
"""Extras of the package by the library that they add; all others are of the pipeline."""


def main() -> None:
    """Run one subcommand; an error that the user can correct is one line and exit code 2."""
    _start_in_utf8()
    show_without_failing()
    _warn_of_other_code()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    is_job = bool(os.environ.get("AUTOTAGGING_NOTE"))
    if is_job:
        write_note()
    absent = [argument for argument in sys.argv[1:] if not os.path.exists(argument)]
    leave_out_libraries(sys.argv[1:])
    try:
        with _writable_caches():
            _make_app()(exit_on_error=False, print_error=False, result_action="return_value")
        if is_job:  # Snakemake has deleted its outputs, if there were any
            _note_results(absent)
    except (UserError, CycloptsError) as error:
        sys.exit(_fail(_told(error)))
    except ImportError as error:
        if (message := _missing_library(error)) is None:
            raise
        sys.exit(_fail(message))
    except OSError as error:
        place = f"{error.filename2 or error.filename}: " if error.filename else ""
        sys.exit(_fail(f"{place}{reason(error)}"))
    except KeyboardInterrupt:
        sys.exit(130)


def _told(error: Exception) -> str:
    """Give the text of an error; that of an unknown command imports all commands to list them."""
    try:
        return str(error)
    except ImportError:  # some commands need libraries that are not installed
        return f'Unknown command "{error.unused_tokens[0]}"; `autotagging --help` lists all.'


def _note_results(arguments: list[str]) -> None:
    """Note which of the arguments are results now, for `autotagging record`."""
    from autotagging.tools._replaced import note_written  # loads NumPy

    note_written(map(Path, arguments))


def _missing_library(error: BaseException) -> str | None:
    """Say which extra of the package has a library that is not installed; None: it is no library.

    An error of cyclopts has the cause of the failed import behind it.
    """
    while error.__cause__ is not None:
        error = error.__cause__
    name = (getattr(error, "name", None) or "").partition(".")[0]
    if not isinstance(error, ModuleNotFoundError) or name in ("", PACKAGE.name):
        return None
    extra = _EXTRAS.get(name, "pipeline")
    return f"this command needs {name}, which is not installed: pip install 'autotagging[{extra}]'"


def _start_in_utf8() -> None:
    """Start again in UTF-8 mode, Python's default from 3.15, if the locale has another encoding.

    Names of files, the command line, pipes and messages can then have any character.
    """
    if sys.flags.utf8_mode or locale.getencoding().lower() == "utf-8":
        return
    if os.environ.get("PYTHONUTF8") != "1":
        os.environ["PYTHONUTF8"] = "1"
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


@contextmanager
def _writable_caches() -> Iterator[None]:
    """Give libraries a temporary folder for their caches if the home folder can't be written.

    numba, which librosa imports, and Snakemake stop without one; matplotlib complains.
    """
    caches = os.path.expanduser(os.environ.get("XDG_CACHE_HOME") or "~/.cache")
    nearest = next(filter(os.path.exists, (caches, *map(str, Path(caches).parents))))
    if os.path.isdir(nearest) and os.access(nearest, os.W_OK | os.X_OK):
        yield
        return
    with tempfile.TemporaryDirectory(prefix="autotagging-") as folder:
        os.environ["XDG_CACHE_HOME"] = folder
        os.environ.setdefault("MPLCONFIGDIR", folder)
        os.environ.setdefault("NUMBA_CACHE_DIR", folder)
        yield


def _warn_of_other_code() -> None:
    """Say so if this is another copy of the package than that of the folder's pipeline."""
    here = Path("src", PACKAGE.name)
    if Path("Snakefile").exists() and here.is_dir() and here.resolve() != PACKAGE.resolve():
        print(
            f"warning: this command is {PACKAGE}, not {here} of this folder; jobs of Snakemake run "
            "the folder's own code",
            file=sys.stderr,
        )


def _check_finite(kind: Any, value: Any) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{value} is not a finite number.")


def _shown_default(value: Any) -> Any:
    """Give the default that help shows; where there is none, the flag's own text says what is."""
    return None if value in (None, (), "") else value


def _fail(message: str) -> int:
    print(printable(f"autotagging: {' '.join(message.split())}"), file=sys.stderr)
    return 2


def _make_app() -> App:
    """Register the functions without importing them, so that each step loads only its own code."""
    app = App(
        name="autotagging",
        help="Music auto-tagging on MagnaTagATune, step by step.",
        name_transform=str,
        default_parameter=Parameter(
            consume_multiple=True,
            negative=(),
            validator=_check_finite,
            show_default=_shown_default,
        ),
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
