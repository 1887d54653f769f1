"""What it costs to draw all figures and tables again, where everything else is done.

Usage, in a project after `make results`: python benchmarks/figures.py. The project's own files in
results/figures are written anew; they get the same bytes.
"""

import hashlib
import re
import resource
import subprocess
import time
from pathlib import Path

import pandas as pd

RULES = Path("workflow/rules/figures.smk")
RESULTS = Path("results/figures")


def main() -> None:
    rules = re.findall(r"^rule (\w+):", RULES.read_text(), re.MULTILINE)
    before = digests()
    start = time.perf_counter()
    command = ["snakemake", "--cores", "all", "--quiet", "all", "--allowed-rules", *rules]
    subprocess.run([*command, "--forcerun", *rules, "--", "figures"], check=True)
    seconds = time.perf_counter() - start
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"all figures and tables: {seconds:.1f} s, {used.ru_utime + used.ru_stime:.1f} CPU s")
    print(f"files: {len(before)}, with other bytes than before: {len(before ^ digests())}")
    print("| figure or table | s | CPU s |\n| --- | ---: | ---: |")
    jobs = {path.stem: pd.read_csv(path, sep="\t") for path in Path("logs/figures").glob("*.tsv")}
    for name, job in sorted(jobs.items(), key=lambda each: -each[1]["s"].iloc[0]):
        print(f"| {name} | {job['s'].iloc[0]:.1f} | {job['cpu_time'].iloc[0]:.1f} |")


def digests() -> set[tuple[str, str]]:
    files = [path for path in RESULTS.iterdir() if path.is_file()]
    return {(path.name, hashlib.sha256(path.read_bytes()).hexdigest()) for path in files}


if __name__ == "__main__":
    main()
