# One verb, one job. `make` alone lists them.
PYTHON ?= python3
PORT ?= 3000
DATA ?= .data
SET ?= local/imagesearch_local/demo
SOAK_MINUTES ?= 20
FUZZ_SECONDS ?= 60
ARCHITECTURE ?= x86_64
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help setup run test check build sam-local soak fuzz load eval bench-index bench-scale bench-coldstart bench-ingest

help: ## List the verbs
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

setup: $(VENV)/.installed ## Install everything into .venv (quick when nothing changed)

$(VENV)/.installed: pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

run: setup ## Start the service with the demo catalogue (PORT=3000 DATA=.data)
	@$(BIN)/imagesearch serve --demo --port $(PORT) --data $(DATA)

test: setup ## Run all tests
	@tools/sam/setup.sh
	@tools/page/setup.sh
	@tools/schema/setup.sh || echo "no schemathesis: the test of the API by its description is skipped"
	@tools/engines/setup.sh || echo "no .venv-engines: the tests of Milvus and moto are skipped"
	$(BIN)/python -m pytest

check: setup ## Lint, types, import directions, known vulnerabilities
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --python-version 3.10 client/imagesearch_client
	$(BIN)/python -m pytest -q tests/house
	@tools/supply/run.sh audit

build: setup ## Build the functions and layers for deployment (ARCHITECTURE=x86_64, into .aws-sam)
	@tools/sam/setup.sh .venv-sam
	SAM_CLI_TELEMETRY=0 ARCHITECTURE=$(ARCHITECTURE) .venv-sam/bin/sam build
	@$(BIN)/python -m tools.sam pin --architecture $(ARCHITECTURE)
	@$(BIN)/python -m tools.sam sizes

sam-local: setup ## The built application in real containers (skips visibly where none can run)
	@tools/sam/local.sh

soak: setup ## Everything at once under kills and a failing store, checked (SOAK_MINUTES=20 ARGS=--help)
	@$(BIN)/python -m tests.soak --minutes $(SOAK_MINUTES) $(ARGS)

fuzz: setup ## Fuzz whatever reads bytes from outside (FUZZ_SECONDS=60 for each harness)
	@tools/fuzz/run.sh --seconds $(FUZZ_SECONDS) $(ARGS)

load: setup ## More and more load on the running service, and past what it can do (ARGS=--help)
	@$(BIN)/python -m benchmarks.load $(ARGS)

eval: setup ## Search quality on a labelled folder (SET=FOLDER)
	@$(BIN)/imagesearch eval $(SET) --bundle layers/models --json

bench-index: setup ## Speed, recall, size of the index beside its peers (ARGS=--help)
	@$(BIN)/python -m benchmarks.index $(ARGS)

bench-scale: setup ## How search, memory and cold start grow with the index (ARGS=--help)
	@$(BIN)/python -m benchmarks.scale $(ARGS)

bench-coldstart: setup ## Where a cold start spends its time (ARGS=--help)
	@$(BIN)/python -m benchmarks.coldstart $(ARGS)

bench-ingest: setup ## A batch task beside the bare models, under trouble if asked (ARGS=--help)
	@$(BIN)/python -m benchmarks.ingest $(ARGS)
