# `make demo` shows the main job, `make test` and `make test-system` run the tests, `make check` is everything static.
# Each makes .venv first, with the versions of constraints.txt.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

SYSTEM := $(wildcard $(addprefix tests/,demo deployments readme_run server system ui))

.PHONY: demo test test-system check bench clean

demo: $(VENV)/.installed
	@$(BIN)/python -m demo.run

# All but what needs a browser, a server or a worker of its own, or another company's server.
test: $(VENV)/.installed
	$(BIN)/python -m pytest $(SYSTEM:%=--ignore=%)

test-system: $(VENV)/.installed
	$(BIN)/python -m pytest $(SYSTEM)

check: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.bench
	$(BIN)/python -m benchmarks.flow
	$(BIN)/python -m benchmarks.smtp
	$(BIN)/python -m benchmarks.sendgrid

clean:
	rm -rf $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or later is needed: make PYTHON=python3.12 ...") if sys.version_info < (3, 11) else None'
	@echo "Installing into $(VENV); the first time this takes a minute."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	@touch $@

$(VENV)/.bench: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev,bench]"
	@touch $@
