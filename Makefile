# One verb, one job. `make` alone lists them.
PYTHON ?= python3
PORT ?= 3000
DATA ?= .data
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help setup run test check

help: ## List the verbs
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

setup: $(VENV)/.installed ## Install everything into .venv (quick when nothing changed)

$(VENV)/.installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[local,dev]'
	@touch $@

run: setup ## Start the service with the demo catalogue (PORT=3000 DATA=.data)
	@$(BIN)/imagesearch serve --demo --port $(PORT) --data $(DATA)

test: setup ## Run all tests
	$(BIN)/python -m pytest

check: setup ## Lint, types, import directions
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/house
