"""Cost of drawing all figures and tables again when all other results exist.

Usage, in a project after `make results`: python benchmarks/figures.py. It overwrites the files in
results/figures; they get the same bytes.
"""

import argparse
import hashlib
import json
import re
import resource
import subprocess
import time
from pathlib import Path

RULES = Path("workflow/rules/figures.smk")
RESULTS = Path("results/figures")
METADATA = Path(".snakemake/metadata")


def main() -> None:
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    rules = re.findall(r"^ *rule (\w+):", RULES.read_text(encoding="utf-8"), re.MULTILINE)
    before = digests()
    start = time.perf_counter()
    command = ["snakemake", "--cores", "all", "--quiet", "all", "--allowed-rules", *rules]
    subprocess.run([*command, "--forcerun", *rules, "--", "figures"], check=True)
    seconds = time.perf_counter() - start
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"all figures and tables: {seconds:.1f} s, {used.ru_utime + used.ru_stime:.1f} CPU s")
    print(f"files: {len(before)}, with other bytes than before: {len(before ^ digests())}")
    print("| figure or table | s |\n| --- | ---: |")
    for name, seconds in sorted(durations(rules).items(), key=lambda each: -each[1]):
        print(f"| {name} | {seconds:.1f} |")


def durations(rules: list[str]) -> dict[str, float]:
    """Seconds that the last job of each rule took, from Snakemake's metadata."""
    records = [
        json.loads(path.read_text(encoding="utf-8"))
        for path in METADATA.rglob("*")
        if path.is_file()
    ]
    jobs = [record for record in records if record["rule"] in rules]
    jobs.sort(key=lambda job: job["endtime"])
    return {job["rule"]: job["endtime"] - job["starttime"] for job in jobs}


def digests() -> set[tuple[str, str]]:
    files = [path for path in RESULTS.iterdir() if path.is_file()]
    return {(path.name, hashlib.sha256(path.read_bytes()).hexdigest()) for path in files}


if __name__ == "__main__":
    main()
