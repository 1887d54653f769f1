"""Keep DVC from results/ while Snakemake runs: DVC deletes a step's folder before it runs the step.

Snakemake's own lock is not known to DVC, but DVC keeps lists of who reads and who writes what.
"""

import atexit
import os
from contextlib import ExitStack, suppress
from importlib.util import find_spec
from pathlib import Path

from autotagging.common.errors import UserError
from autotagging.tools._engines import RESULTS

_DVC = Path(".dvc")
_BUSY = "is busy"  # in DVC's message


def hold_results() -> str:
    """List this process as a reader of results/ until it ends, so that DVC does not write there.

    `dvc repro`, `dvc exp run` and `dvc commit` then stop before they change anything; `dvc status`
    and the queue go on. If this process is killed, DVC itself removes it from its lists. A stage of
    DVC needs nothing: DVC has listed itself.

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
        from dvc.fs import localfs
        from dvc.rwlock import rwlock

        for name, read in listed.items():
            folder = _DVC.absolute() / name
            folder.mkdir(parents=True, exist_ok=True)
            held.enter_context(rwlock(str(folder), localfs, "snakemake", [read], [], False))
    except Exception as error:  # other versions of DVC may do this in another way
        _release(held)
        text = " ".join(str(error).split())
        if _BUSY in text:
            raise UserError(f"DVC is at work here; wait for its end. It says: {text}") from error
        return f"warning: start no `dvc repro` or `dvc exp run` during this run: {text}"
    atexit.register(_release, held)
    return ""


def _release(held: ExitStack) -> None:
    """Remove this process from DVC's lists; else DVC does it, once the process has ended."""
    with suppress(Exception):
        held.close()
