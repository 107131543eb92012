# `make help` prints what each target does.
PYTHON ?= python3
# Where `make test-postgres` makes databases of its own, and drops them: as a superuser.
POSTGRES ?= postgres://postgres@127.0.0.1:5432

BIN := .venv/bin
# Bytecode beside the source would be written outside the data folder.
export PYTHONDONTWRITEBYTECODE := 1

# One process more than there are cores, since they wait for servers and browsers of theirs; a test
# file in one of them, in the order of tests/conftest.py. Named files run in this one, which starts
# sooner. The order of sets is the same in all. Tests start some sixty processes: bytecode is kept
# beside the installed packages for them, not beside the source.
PROCESSES := $(if $(findstring .py,$(ARGS)),,--numprocesses $(shell expr $$(nproc) + 1) \
	--dist loadfile --no-loadscope-reorder)
BYTECODE := PYTHONDONTWRITEBYTECODE= PYTHONPYCACHEPREFIX=$(CURDIR)/.venv/bytecode
PYTEST := PYTHONHASHSEED=0 $(BYTECODE) $(BIN)/python -m pytest $(PROCESSES)

.PHONY: help run dev demo test test-postgres lint format types check ci pictures screenshots bench faults \
	hostile figures messages version release-check clean

# After `##`: how long it takes (two cores), then what it does.
help: ## 0 s | Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*) \| /make \1\t\2\t/' | expand -t 20,30
	@echo
	@echo 'The first use sets up .venv (a minute). ARGS goes to pytest, for test and test-postgres:'
	@echo '  make test ARGS=tests/gallery/test_revoking.py     one file, a few seconds'
	@echo '  make test ARGS="tests/gallery -k receipt -x"      what is named so, up to the first failure'

run: .venv/ready ## 2 s | Serve on http://127.0.0.1:8000 (PORT=8123 DATA_DIR=/some/dir)
	@exec $(BIN)/python -m imageshare.start

dev: .venv/ready ## 5 s | Serve to yourself, again at each change of the code; data in var/dev (PORT, DATA_DIR)
	@exec $(BIN)/python -m imageshare.dev

demo: .venv/ready ## 1 min | Serve a filled throw-away installation; prints its passwords (DEMO_IMAGES=24: sooner)
	@exec $(BIN)/python -m imageshare.demo

test: .venv/ready-for-development ## 17 min | Run every test this machine has the tools for (ARGS: some of them)
	@$(PYTEST) $(ARGS)

test-postgres: .venv/ready-for-postgres ## 20 min | Run every test that asks a database on a PostgreSQL server (POSTGRES=postgres://user@host:port, ARGS)
	@TEST_POSTGRES=$(POSTGRES) $(PYTEST) $(ARGS)

lint: .venv/ready-for-development ## 1 s | Check style and formatting
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

format: .venv/ready-for-development ## 1 s | Mend style and formatting where that is safe
	@$(BIN)/ruff check --fix . && $(BIN)/ruff format .

types: .venv/ready-for-postgres ## 40 s | Check types, strictly
	@$(BIN)/mypy

check: .venv/ready-for-development ## 5 s | Check deployment settings and missing migrations
	@$(BIN)/python -m tests.checks

ci: ## 40 min | Everything a change must pass; installs what is missing (.ci/run)
	@bash .ci/run

pictures: .venv/ready-for-development ## 1 min | Take the pictures of README and first page again
	@$(BIN)/python -m tests.pictures

screenshots: .venv/ready-for-development ## 5 min | Take every page, wide and narrow, light and dark, and sheets of them (FOLDER=var/screenshots, LOCALE=de)
	@$(BIN)/python -m tests.screenshots $(or $(FOLDER),var/screenshots) $(or $(LOCALE),en)

bench: .venv/ready-for-development requirements-bench.txt ## 10 min | Measure sealing, the running server, the trail and long lists
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-cache-dir -r requirements-bench.txt
	@$(BIN)/python -m benchmarks.sealing
	@$(BIN)/python -m benchmarks.command_line
	@$(BIN)/python -m benchmarks.serving
	@$(BIN)/python -m benchmarks.peers
	@$(BIN)/python -m benchmarks.decoding
	@$(BIN)/python -m benchmarks.zips
	@$(BIN)/python -m benchmarks.slow_readers
	@$(BIN)/python -m benchmarks.trail
	@$(BIN)/python -m benchmarks.lists
	@$(BIN)/python -m benchmarks.search
	@$(BIN)/python -m benchmarks.rewrapping
	@$(BIN)/python -m benchmarks.albums
	@$(BIN)/python -m benchmarks.whole_album

faults: .venv/ready-for-development ## 10 min | Kill a real server again and again, fill its disks, hold its databases
	@$(BIN)/python -m benchmarks.faults && $(BIN)/python -m benchmarks.key_faults \
		&& $(BIN)/python -m benchmarks.circle_faults

hostile: .venv/ready-for-development ## 10 min | Have thousands of damaged pictures decoded, and decoders taken over
	@$(BIN)/python -m benchmarks.hostile

figures: .venv/ready-for-development ## 10 s | Print how large files and functions are, and what imports what
	@$(BIN)/python -m benchmarks.house

messages: .venv/ready-for-development ## 5 s | Bring the translations in locale/ up to date with the texts (gettext)
	@$(BIN)/python -m tests.catalogues

version: ## 0 s | Print this version
	@$(PYTHON) -c 'import imageshare; print(imageshare.__version__)'

release-check: .venv/ready-for-development ## 20 s | Say whether this commit is fit to be released (CONTRIBUTING.md)
	@$(BIN)/python -m tests.release

clean: ## 1 s | Remove the virtual environment and tool caches (never your data)
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
