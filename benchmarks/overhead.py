"""Cost of commands that have nothing to do: the engines on a finished project, and help.

Usage, in a project after `make results` and `autotagging record`: python benchmarks/overhead.py. It
changes nothing.
"""

import argparse
import resource
import subprocess
import sys
import time
from statistics import median

from autotagging.commands import PACKAGE, find_commands

PYTHON = [sys.executable, "-c"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=7, help="runs of each command")
    runs = parser.parse_args().runs
    commands = {
        "python, nothing": [*PYTHON, "pass"],
        "python, import pandas": [*PYTHON, "import pandas"],
        "python, import snakemake": [*PYTHON, "import snakemake.cli"],
        "snakemake --cores all": ["snakemake", "--cores", "all"],
        "python, import dvc": [*PYTHON, "import dvc.repo"],
        "dvc repro": ["dvc", "repro"],
        "autotagging --help": ["autotagging", "--help"],
        "autotagging doctor --quick": ["autotagging", "doctor", "--quick"],
    }
    print("| command | CPU s | least | wall s | least |\n| --- | ---: | ---: | ---: | ---: |")
    for name, command in commands.items():
        show(name, [measure(command) for _ in range(runs)])
    helps = {name: [measure(command) for _ in range(runs)] for name, command in subcommands()}
    slowest = max(helps, key=lambda name: median(cpu for cpu, _ in helps[name]))
    every = [each for some in helps.values() for each in some]
    show(f"help of {len(helps)} subcommands, each", every)
    show(f"the slowest, {slowest} --help", helps[slowest])


def subcommands() -> list[tuple[str, list[str]]]:
    """Command line for the help of each subcommand, with its name."""
    names = [name for room in ("steps", "tools") for name in find_commands(PACKAGE / room)]
    names += [f"figures {name}" for name in find_commands(PACKAGE / "steps/figures")]
    return [(name, ["autotagging", *name.split(), "--help"]) for name in names]


def measure(command: list[str]) -> tuple[float, float]:
    """Run a command; give its CPU seconds and wall seconds."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    result = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace")
    if result.returncode and "doctor" not in command:
        sys.exit(f"{' '.join(command)}:\n{result.stdout}{result.stderr}")
    seconds = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, seconds


def show(name: str, runs: list[tuple[float, float]]) -> None:
    columns = [
        f"{number(each):.2f}" for each in zip(*runs, strict=True) for number in (median, min)
    ]
    print(f"| {name} | {' | '.join(columns)} |", flush=True)


if __name__ == "__main__":
    main()
