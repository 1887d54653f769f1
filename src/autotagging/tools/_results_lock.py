"""Keep DVC from results/ while Snakemake runs: DVC deletes a step's folder before it runs the step.

Snakemake's own lock is not known to DVC, but DVC keeps lists of who reads and who writes what.
"""

import atexit
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

from autotagging.common.errors import UserError
from autotagging.tools._engines import RESULTS

_DVC = Path(".dvc")
_BUSY = "is busy"  # in DVC's message
_SNAKEMAKE = "snakemake"


def hold_results() -> str:
    """List this process as a reader of results/ until it ends, so that DVC does not write there.

    `dvc repro`, `dvc exp run` and `dvc commit` then stop before they change anything; `dvc status`
    and the queue go on. If this process is killed, DVC or the next run removes it from the lists.
    In a stage of DVC, nothing is done: DVC has listed itself.

    Returns
    -------
    warning
        Why DVC can't be told; empty if it was, or need not be.

    Raises
    ------
    UserError
        DVC writes to results/ just now.
    """
    if "DVC_ROOT" in os.environ or not _DVC.is_dir() or find_spec("dvc") is None:
        return ""
    # By the folder of the list. An experiment replaces results by those of dvc.lock before it runs
    # a stage; it begins by writing to this reference of git.
    listed = {"tmp": str(RESULTS.absolute()), "tmp/exps": "refs/exps/stash"}
    held = ExitStack()
    try:
        for name, read in listed.items():
            _remove_ended_runs(name)
            held.enter_context(_listed(name, _SNAKEMAKE, read=[read]))
    except Exception as error:  # other versions of DVC may do this in another way
        _release(held)
        text = " ".join(str(error).split())
        if _BUSY in text:
            raise UserError(f"DVC is at work here; wait for its end. It says: {text}") from error
        return f"warning: start no `dvc repro` or `dvc exp run` during this run: {text}"
    atexit.register(_release, held)
    return ""


@contextmanager
def replacing_results() -> Iterator[None]:
    """List this process as a writer of results/ within the block.

    Raises
    ------
    UserError
        Snakemake or DVC is at work there.
    """
    with ExitStack() as held:
        try:
            write = [str(RESULTS.absolute())]
            held.enter_context(_listed("tmp", "autotagging restore", write=write))
        except Exception as error:
            text = " ".join(str(error).split())
            if _BUSY in text:
                raise UserError(
                    f"Snakemake or DVC is at work here; wait for its end. DVC says: {text}"
                ) from error
            # other versions of DVC may do this in another way
        yield


def _list_of(name: str) -> tuple:
    """Give the first two arguments and the last one of DVC's functions for a folder of .dvc."""
    from dvc.config import Config
    from dvc.fs import localfs

    folder = _DVC.absolute() / name
    folder.mkdir(parents=True, exist_ok=True)
    hardlink = Config(str(_DVC.absolute()))["core"].get("hardlink_lock", False)
    return str(folder), localfs, hardlink


@contextmanager
def _listed(
    name: str, command: str, *, read: list[str] = (), write: list[str] = ()
) -> Iterator[None]:
    from dvc.rwlock import rwlock

    folder, file_system, hardlink = _list_of(name)
    with rwlock(folder, file_system, command, [*read], [*write], hardlink):
        yield


def _remove_ended_runs(name: str) -> None:
    """Remove runs of Snakemake that were killed, whose numbers other processes may have now."""
    from dvc.rwlock import _edit_rwlock

    folder, file_system, hardlink = _list_of(name)
    with _edit_rwlock(folder, file_system, hardlink) as lists:
        for path, readers in [*lists["read"].items()]:
            lists["read"][path] = [
                each for each in readers if each["cmd"] != _SNAKEMAKE or _is_snakemake(each["pid"])
            ]


def _is_snakemake(number: int) -> bool:
    """Tell whether a process is a run of Snakemake; several may make different results here."""
    import psutil

    try:
        return _SNAKEMAKE in map(os.path.basename, psutil.Process(number).cmdline())
    except psutil.Error:
        return False


def _release(held: ExitStack) -> None:
    """Remove this process from DVC's lists; else DVC does it, once the process has ended."""
    with suppress(Exception):
        held.close()
