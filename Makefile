# Two commands for a fresh machine with Python 3.11 or newer: `make demo` and `make test`. Each does its own set-up.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: demo test chaos check install clean

demo: $(VENV)/.demo  ## the whole job on this machine, from field files to a report
	$(BIN)/seisray demo

test: check  ## everything that must hold: style, types, layers, tests
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder  # half of the time goes by while Ray starts; the long ones first

chaos: $(VENV)/.test  ## what must hold while nodes, drivers and the store are lost: some eighteen minutes
	$(BIN)/python -m pytest -m chaos

check: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

install: $(VENV)/.demo

$(VENV)/.demo: pyproject.toml | $(BIN)/python
	$(BIN)/pip install --quiet --editable '.[synthetic]'
	touch $@

$(VENV)/.test: pyproject.toml | $(BIN)/python
	$(BIN)/pip install --quiet --editable '.[test]'
	touch $@

$(BIN)/python:
	$(PYTHON) -m venv --upgrade-deps $(VENV)

clean:
	rm -rf $(VENV) build dist *.egg-info
