# CONTRIBUTING.md says what each target is for.
# Each makes .venv first, with the versions of constraints.txt.

PYTHON ?= python3
# Empty for the newest versions; lowest.txt for the lowest that pyproject.toml allows.
CONSTRAINTS ?= constraints.txt
VENV ?= .venv
BIN := $(VENV)/bin

# What needs a browser, a Prefect server of its own with workers, or another company's mail server.
SYSTEM := $(addprefix tests/,containers demo deployments docs_run server system ui wheel)
# Two processes, each with its own Prefect server; a file's tests share what the file has started. Files go in
# their order: by their numbers of tests, those that wait for servers would come last, in one process.
ROOMS := -n 2 --dist loadfile --no-loadscope-reorder $(SYSTEM:%=--ignore=%) --ignore=tests/fleet

.PHONY: demo test coverage test-system test-fleet fuzz check docs docs-reference dist test-wheel lowest bench clean

demo: $(VENV)/.installed
	@$(BIN)/python -m demo.run

test: $(VENV)/.installed
	$(BIN)/python -m pytest $(ROOMS)

coverage: $(VENV)/.installed
	$(BIN)/python -m pytest $(ROOMS) --cov --cov-report=term

# Two processes as well; the tests of a folder share one server.
test-system: $(VENV)/.installed
	$(BIN)/python -m pytest -n 2 --dist loadscope --no-loadscope-reorder $(SYSTEM)

test-fleet: $(VENV)/.fleet
	timeout --signal=INT --kill-after=60 600 $(BIN)/python -m pytest -n 2 --dist loadfile tests/fleet

# 100,000 examples for each target; FUZZ=tests/mail or any other folder tries the properties there.
FUZZ ?= tests/fuzz tests/rendering/test_hostile.py tests/transports/http
fuzz: $(VENV)/.installed
	$(BIN)/python -m pytest -m hypothesis --hypothesis-profile=search $(FUZZ)

check: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --config-file= --strict tests/typing/api.py
	$(BIN)/zizmor --offline --quiet --min-severity medium .github

# A warning is an error: a link that leads nowhere, a page that no menu has.
docs: $(VENV)/.installed
	$(BIN)/mkdocs build --strict

# The tables of fields, settings, errors and commands.
docs-reference: $(VENV)/.installed
	$(BIN)/python -m reference

dist: $(VENV)/.installed
	rm -rf dist
	$(BIN)/hatchling build -d dist

# Of this tree, or with DIST=dist what is there.
test-wheel: $(VENV)/.installed
	DIST=$(DIST) $(BIN)/python -m pytest tests/wheel

# Then: make CONSTRAINTS=lowest.txt VENV=.venv-lowest test
lowest: $(VENV)/.installed
	$(BIN)/uv pip compile --quiet --resolution lowest-direct --prerelease disallow --upgrade \
		--output-file lowest.txt pyproject.toml

bench: $(VENV)/.bench
	$(BIN)/python -m benchmarks.flow
	$(BIN)/python -m benchmarks.smtp
	$(BIN)/python -m benchmarks.sendgrid

clean:
	rm -rf $(VENV)

$(VENV)/.installed: pyproject.toml $(CONSTRAINTS)
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or later is needed: make PYTHON=python3.12 ...") if sys.version_info < (3, 11) else None'
	@echo "Installing into $(VENV); the first time this takes a minute."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(CONSTRAINTS:%=-c %) -e ".[dev]"
	@touch $@

$(VENV)/.fleet: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(CONSTRAINTS:%=-c %) -e ".[dev,fleet]"
	@touch $@

$(VENV)/.bench: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(CONSTRAINTS:%=-c %) -e ".[dev,bench]"
	@touch $@
