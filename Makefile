# `make results` runs the pipeline, `make report` also writes all results into one HTML file,
# `make test` runs all tests, `make check` the linters and the quick tests; each installs its needs.
# `make test-slow` tests the benchmark scripts, training on several devices, and the additions that
# CONTRIBUTING.md describes, as CI does, too.
# `make test-remotes` tests a folder and an SSH server as remotes; it needs Debian's openssh-server.
# `make reproduce` runs the pipeline twice in two clones and compares every file of the results.
# `make test-cluster` installs Debian's Slurm, as root, and tests the profiles for it.
# On a machine with an NVIDIA GPU: make results LOCK=requirements-gpu.lock; `make gpu-check` runs
# the tests that need a GPU, and measures it. Without LOCK, the lock that the environment has stays
# in use, if it is one of this folder.

PYTHON ?= python3
VENV := .venv
IN_USE := $(wildcard $(patsubst $(VENV)/installed-%,%,$(wildcard $(VENV)/installed-*)))
LOCK ?= $(firstword $(IN_USE) requirements.lock)
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed-$(notdir $(LOCK))
PIP := $(BIN)/pip install --quiet --disable-pip-version-check
# Commands find each other by PATH. Recipes name their folder: the make of macOS ignores this PATH.
# A new environment is made by the Python outside of the present one.
OUTSIDE := PATH="$(PATH)"
export PATH := $(CURDIR)/$(BIN):$(PATH)

COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest \
	--generate-hashes --no-emit-index-url --no-header \
	$(addprefix --extra ,pipeline serve export slurm ssh validate dev)

.PHONY: install environment results compare report screenshots plots check test test-slow \
	test-remotes test-cluster gpu-check reproduce lint lock clean

install: $(INSTALLED)

results: $(INSTALLED)
	$(BIN)/snakemake --cores all
	@echo "All figures and tables are in results/figures/; the comparison is table_4.md."

compare: $(INSTALLED)
	$(BIN)/snakemake --cores all --configfile workflow/compare.yaml
	@echo "All models side by side are in results/figures/: table_4.md, differences.md, cost.svg."

report: results
	$(BIN)/snakemake --report report.html
	@echo "report.html is one file that works offline: open it in a browser."

screenshots: report
	$(BIN)/python tests/screenshots.py report.html docs/images
	$(BIN)/autotagging rule_graph --out docs/images/rule_graph.svg

plots: $(INSTALLED)
	$(BIN)/autotagging plots_template --out .dvc/tmp/plots.html
	$(BIN)/dvc plots show --html-template .dvc/tmp/plots.html

check: lint
	$(BIN)/pytest tests/unit -m "not training"

test: $(INSTALLED)
	$(BIN)/pytest

test-slow: $(INSTALLED)
	$(BIN)/pytest -m slow

test-remotes: $(INSTALLED)
	$(BIN)/pytest -n 0 -m remotes -rs tests/workflow

test-cluster: $(INSTALLED)
	$(BIN)/python tests/cluster/slurm.py
	$(BIN)/pytest -n 0 -m cluster -rs tests/cluster

gpu-check:
	$(OUTSIDE) $(MAKE) LOCK=requirements-gpu.lock $(VENV)/installed-requirements-gpu.lock
	$(BIN)/pytest -n 0 -m gpu -rs tests/gpu
	$(BIN)/python benchmarks/gpu.py --out logs/gpu.json

reproduce: $(INSTALLED)
	$(BIN)/python benchmarks/reproduce.py

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow

lock: $(INSTALLED)
	$(COMPILE) --upgrade --output-file requirements.lock pyproject.toml
	$(COMPILE) --extra gpu --constraint requirements.lock \
		--output-file requirements-gpu.lock pyproject.toml

clean:
	rm -rf $(VENV) build

# A new time stamp alone, as after git checkout, does not make the environment again: a training may
# be using it.
$(INSTALLED): $(LOCK) pyproject.toml
	cmp -s $(LOCK) $(VENV)/installed.lock || $(OUTSIDE) $(MAKE) environment
	$(PIP) --no-deps --no-build-isolation -e .
	touch $@

environment:
	@$(OUTSIDE) $(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
		{ echo "Python 3.11 to 3.13 is needed: make PYTHON=python3.12 ..." >&2; exit 1; }
	rm -f $(VENV)/installed*
	$(OUTSIDE) $(PYTHON) -m venv --clear $(VENV)
	@# If the rest fails, the next call goes on with the same lock: it is older than any.
	touch -t 197001020000 $(INSTALLED)
	@# Three packages are built from source, by this setuptools.
	awk '/^[^ ]/ { wanted = /^setuptools==/ } wanted' $(LOCK) > $(VENV)/build.lock
	$(PIP) --require-hashes -r $(VENV)/build.lock
	$(PIP) --require-hashes --no-build-isolation -r $(LOCK)
	cp $(LOCK) $(VENV)/installed.lock
