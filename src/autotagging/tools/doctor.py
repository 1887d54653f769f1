"""Check the environment, the machine and the project: the command `autotagging doctor`."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from autotagging.common.errors import UserError
from autotagging.tools.checks import Check, audio, disk, gpu, machine, packages, project


def doctor(*, quick: bool = False) -> None:
    """Check the environment, the machine and the project.

    Each line is OK, or FIX with what to type. The exit code is 0 if all lines are OK, else 1. No
    network is needed, nor TensorFlow, which is loaded by a process of its own.

    Parameters
    ----------
    quick
        Whether to leave out what takes seconds: loading TensorFlow, and comparing all results with
        dvc.lock.
    """
    faults = 0
    for check in _checks(quick):
        print(f"{'FIX' if check.fix else 'OK':4}{check.name:11} {check.text}", flush=True)
        if check.fix:
            faults += 1
            print(f"{'':15} -> {check.fix}", flush=True)
    if faults:
        sys.exit(1)


def _checks(quick: bool) -> Iterator[Check]:
    """Run the checks of what is installed."""
    if packages.tagger_alone():
        yield packages.check_python()
        yield Check("packages", "the tagger's; the pipeline is not installed")
        yield from _of_machine()
    else:
        yield from _of_pipeline(quick)


def _of_pipeline(quick: bool) -> Iterator[Check]:
    """Run all checks; those that take long run meanwhile."""
    folder = project.check_folder()
    of_tensorflow = None if quick else gpu.start_tensorflow()
    of_dvc = None if quick or folder.fix else project.start_dvc()
    yield folder
    yield packages.check_python()
    yield _guarded("packages", packages.check_packages)
    yield from _of_machine()
    if not folder.fix:
        yield from _of_project()
    if not (quick or folder.fix):
        yield project.check_dvc(of_dvc)
    report = {}
    if not quick:
        loaded, report = gpu.check_tensorflow(of_tensorflow)
        yield loaded
    yield gpu.check_gpu(report)


def _of_machine() -> Iterator[Check]:
    """Run the checks of the libraries of audio, and of the processor."""
    yield _guarded("decoder", audio.check_decoder)
    yield _guarded("resampler", audio.check_resampler)
    yield machine.check_processor()


def _of_project() -> Iterator[Check]:
    """Run the checks that need the project's files."""
    params = _guarded("params", _read_params)
    if isinstance(params, Check):
        yield params
    else:
        yield Check("params", "params.yaml is as its schema says")
        yield machine.check_memory(params)
        yield _guarded("disk", lambda: disk.check_disk(params))
    yield project.check_git()
    yield project.check_snakemake()
    yield _guarded("results", project.check_results)


def _read_params() -> dict[str, Any]:
    from autotagging.common.params import faults, read_params, read_schema

    params = read_params(Path("params.yaml"))
    if found := faults(params, read_schema(Path("workflow/schemas"))):
        raise UserError("; ".join(found))
    return params


def _guarded(name: str, check: Callable[[], Any]) -> Any:
    """Call a function; a package that can't be loaded, and what it raises, are a fault."""
    try:
        return check()
    except UserError as error:
        return Check(name, str(error), "correct what the text names")
    except (ImportError, OSError) as error:
        return Check(name, f"can't be loaded: {error}", packages.install())
    except Exception as error:  # whatever a broken library, or a damaged file, raises
        text = f"{type(error).__name__}: {error}"
        return Check(name, text, f"git checkout -- . (damaged files), or {packages.install()}")
