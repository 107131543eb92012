# `make help` prints what each target does.
PYTHON ?= python3
PORT ?= 8000
DATA_DIR ?= var
# Where `make test-postgres` makes databases of its own, and drops them.
POSTGRES ?= postgres://postgres@127.0.0.1:5432
export PORT DATA_DIR

BIN := .venv/bin
# Bytecode beside the source would be written outside the data folder.
export PYTHONDONTWRITEBYTECODE := 1

# A process for each core, a test file in one of them; the order of sets is the same in all.
PYTEST := PYTHONHASHSEED=0 $(BIN)/python -m pytest --numprocesses auto --dist loadfile

.PHONY: help run demo pictures test test-postgres lint types check bench faults clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 22

run: .venv/ready ## Serve on http://127.0.0.1:8000 (PORT=8123, DATA_DIR=/some/dir)
	@exec $(BIN)/python -m imageshare.start

demo: .venv/ready ## Serve a filled throw-away installation; prints its passwords
	@exec $(BIN)/python -m imageshare.demo

test: .venv/ready-for-development ## Run every test this machine has the tools for (ARGS="tests/gallery -k revoke": some of them)
	@$(PYTEST) $(ARGS)

test-postgres: .venv/ready-for-postgres ## Run every test on a PostgreSQL server (POSTGRES=postgres://user@host:port)
	@TEST_POSTGRES=$(POSTGRES) $(PYTEST) $(ARGS)

lint: .venv/ready-for-development ## Check style and formatting
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: .venv/ready-for-development ## Check types, strictly (accounts and gallery: not yet)
	@$(BIN)/mypy

check: .venv/ready-for-development ## Check deployment settings and missing migrations
	@$(BIN)/python -m tests.checks

pictures: .venv/ready-for-development ## Take the README's pictures anew
	@$(BIN)/python -m tests.pictures

bench: .venv/ready-for-development requirements-bench.txt ## Measure sealing, the running server, the trail and long lists
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-cache-dir -r requirements-bench.txt
	@$(BIN)/python -m benchmarks.sealing
	@$(BIN)/python -m benchmarks.serving
	@$(BIN)/python -m benchmarks.trail
	@$(BIN)/python -m benchmarks.lists
	@$(BIN)/python -m benchmarks.rewrapping

faults: .venv/ready-for-development ## Kill a real server again and again, fill its disks, hold its databases
	@$(BIN)/python -m benchmarks.faults && $(BIN)/python -m benchmarks.key_faults

clean: ## Remove the virtual environment and tool caches (never your data)
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis

.venv/ready: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "ImageShare needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.12 " )'
	@echo "Setting up .venv (once) …"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-cache-dir -r requirements.txt
	@touch $@

.venv/ready-for-postgres: .venv/ready-for-development requirements-postgres.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-cache-dir -r requirements-postgres.txt
	@touch $@

.venv/ready-for-development: .venv/ready requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-cache-dir -r requirements-dev.txt
	@touch $@
