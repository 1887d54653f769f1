"""Which results change on another processor or with other libraries, each step on equal inputs.

Usage: python benchmarks/processors.py, at the top of the repository. The processor is only told to
seem older: to oneDNN, OpenBLAS, NumPy and the C library. With --python, the steps also run in other
environments. A row of the table is a variant, a column a step: how many of its files change.
"""

import argparse
import os
import re
import shutil
import tempfile
from pathlib import Path

from reproduce import Clone, Surroundings, make_clone, snakemake

from autotagging.common.files import sha256

STEPS = ("download", "merge_tags", "split", "extract_mel", "train", "evaluate", "figures")
ONE_THREAD = "one thread"
VARIANTS = {
    "same": {},
    ONE_THREAD: {},
    "oneDNN for AVX2": {"ONEDNN_MAX_CPU_ISA": "AVX2"},
    "oneDNN for SSE4.1": {"ONEDNN_MAX_CPU_ISA": "SSE41"},
    "OpenBLAS for Haswell": {"OPENBLAS_CORETYPE": "Haswell"},
    "OpenBLAS for Prescott": {"OPENBLAS_CORETYPE": "Prescott"},
    "NumPy without AVX2, AVX512": {"NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL"},
    "C library without FMA, AVX2": {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-FMA,-AVX2,-AVX512F"},
}
"""Variables of the environment; of OpenBLAS's, none is set otherwise."""
THREADS = 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", choices=VARIANTS, help="variants to run")
    parser.add_argument("--steps", nargs="*", choices=STEPS, default=STEPS, help="steps to run")
    parser.add_argument("--python", nargs="*", default=[], type=Path, help="other interpreters")
    arguments = parser.parse_args()
    for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
        os.environ.pop(name, None)
    variants = {name: VARIANTS[name] for name in arguments.only or VARIANTS}
    for python in arguments.python:
        if not python.with_name("autotagging").exists():
            parser.error(f"{python} has no command autotagging next to it: install the package")
        folders = f"{python.absolute().parent}:{os.environ['PATH']}"
        variants[str(python)] = {"PATH": folders}
    with tempfile.TemporaryDirectory(prefix="processors-") as folder:
        measure(Path(folder), variants, arguments.steps)


def measure(folder: Path, variants: dict[str, dict[str, str]], steps: list[str]) -> None:
    """Print the table, and then the names of the files that change."""
    user = {"USER": "ada", "LOGNAME": "ada", "TZ": "UTC", "LC_ALL": "C.UTF-8"}
    base = make_clone(Path.cwd(), folder, Surroundings("base", user, 0o022, THREADS), tiny=True)
    base.run([*snakemake(THREADS, threads=THREADS), "all"])
    base.measure()
    named = []
    print(f"| variant | {' | '.join(steps)} |\n| --- |{' ---: |' * len(steps)}", flush=True)
    for variant, environment in variants.items():
        cells = []
        for step in steps:
            threads = 1 if variant == ONE_THREAD else THREADS
            files = [path for path in base.digests if path.startswith(f"results/{step}/")]
            changed = changes(base, step, files, environment, threads)
            cells.append(f"{len(changed)} of {len(files)}" if changed else "0")
            named += [f"{variant}: {path}" for path in changed]
        print(f"| {variant} | {' | '.join(cells)} |", flush=True)
    print("", *named, sep="\n")


def changes(
    base: Clone, step: str, files: list[str], environment: dict[str, str], threads: int
) -> list[str]:
    """Run the jobs of one step again on the results of the others; list the files that change."""
    results, kept = base.path / "results" / step, base.path.parent / "kept"
    corpora = base.path.parent / "other corpora"
    shutil.copytree(results, kept)
    shutil.rmtree(base.path / "unfinished", ignore_errors=True)
    jobs = {job.command: job for path, job in base.jobs().items() if path in files}
    if step == "download":  # the synthesis of the corpus is part of it
        environment = {**environment, "AUTOTAGGING_CORPORA": str(corpora)}
    try:
        for job in sorted(jobs.values(), key=lambda job: job.ended):
            command = re.sub(r"--threads \d+", f"--threads {threads}", job.command)
            command = re.sub(r" > \S+ 2>&1$", "", command)  # what it says is shown if it fails
            for path in job.outputs:  # as Snakemake does
                (base.path / path).unlink(missing_ok=True)
            base.run(["bash", "-c", f"set -euo pipefail; {command}"], **environment)
        return [path for path in files if sha256(base.path / path) != base.digests[path]]
    finally:
        shutil.rmtree(corpora, ignore_errors=True)
        shutil.rmtree(results)
        kept.rename(results)


if __name__ == "__main__":
    main()
