# make drill   set up what is missing and open the app (experiments' packages install meanwhile)
# make test    set up everything and run the tests
# make check   what CI runs after the tests: keys, experiments, kill tests, benchmarks, wheel
# make labs    run every experiment at its defaults on the CPU and check its claims
# make record  record every experiment on this machine's best device into reference/runs
.DEFAULT_GOAL := help
.PHONY: help drill setup setup-all test lint verify labs record kill bench wheel check picture clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CORE := $(VENV)/.core-ready
ALL := $(VENV)/.all-ready
PIP := $(BIN)/python -m pip --disable-pip-version-check -q
JOBS ?= $(shell nproc 2>/dev/null || echo 2)

help:
	@sed -n 's/^# //p' Makefile

setup: $(CORE)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "drill needs Python 3.11 or newer; try make PYTHON=python3.12")'
	@echo "making $(VENV)"
	@$(PYTHON) -m venv $(VENV)

# Only a changed list of packages installs again; the sources are used in place.
$(CORE): pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing drill (seconds)"
	@$(PIP) install -c constraints.txt -e '.[tuning]'
	@$(BIN)/python -m compileall -q drill
	@touch $@

setup-all: $(ALL)

$(ALL): $(CORE)
	@echo "installing the experiments' packages and the tools of development (minutes)"
	@$(PIP) install -c constraints.txt -e '.[labs,tuning,dev]'
	@touch $@

drill: setup
	@DRILL_INSTALL_LABS=auto $(BIN)/drill

test: setup-all lint
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n $(JOBS) -m "not slow"

lint: setup-all
	@$(BIN)/ruff check -q . && $(BIN)/ruff format --check -q . || (echo "run: $(BIN)/ruff check --fix . && $(BIN)/ruff format ." && exit 1)
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache > $(VENV)/imports.log || (cat $(VENV)/imports.log && exit 1)

verify: setup-all
	@$(BIN)/drill bank check
	@$(BIN)/drill bank verify

labs: setup-all
	@$(BIN)/python -m drill.services.all_labs
	@$(BIN)/python -m pytest -q -m "slow and labs"

record: setup-all
	@$(BIN)/python -m drill.services.recorded --all --asked

kill: setup-all
	@$(BIN)/python -m pytest -q -m "slow and not labs"

bench: setup-all
	@$(BIN)/python benchmarks/run.py --gate
	@$(BIN)/python benchmarks/planner.py --gate

wheel: setup-all
	@$(BIN)/python tests/packaging/wheel.py

check: verify labs kill bench wheel

clean:
	rm -rf $(VENV) dist build
