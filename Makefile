# The verbs of this project. `make` alone lists them.
BIN := .venv/bin
SLICE ?= 1.0
SEED ?= 1
FAULTS ?= 20
EVENTS ?= 24000
PLANTED ?=
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help setup demo up down status lint check test bench torture fuzz schemas clean

help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/.ready ## make the virtual environment with the locked dependencies

.venv/.ready: requirements/dev.txt pyproject.toml
	@deploy/local/setup

demo: setup ## play a year of real customers through the platform and check every figure (SLICE=0.1: a tenth of them)
	@$(BIN)/rapport demo --slice $(SLICE)

up: setup ## start servers and services on this machine, and leave them running
	@$(BIN)/rapport up

down: setup ## stop what `make up` started; its data stays
	@$(BIN)/rapport down

status: setup ## what runs, where, since when, and how far behind
	@$(BIN)/rapport status

check: lint ## what lint checks, and unit tests
	$(BIN)/pytest -q -n $(WORKERS) --dist loadfile -m "not integration and not journey"

lint: setup ## format, lint, types, import contracts and schema compatibility
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m deploy.schemas --check

test: setup ## all tests, against real Kafka, MongoDB and Redis
	$(BIN)/pytest -q -n $(WORKERS) --dist loadfile

bench: setup ## measure everything on a platform of its own; figures go to docs/benchmarks.md (BENCH=--quick: a first look)
	@$(BIN)/python -m tests.bench $(BENCH)

torture: setup ## break the platform while it works and check every effect (SEED=1 FAULTS=20 EVENTS=24000; PLANTED=all)
	@$(BIN)/python -m tests.torture --seed $(SEED) --faults $(FAULTS) --events $(EVENTS) $(if $(PLANTED),--planted $(PLANTED))

fuzz: setup var/fuzz/venv/.ready ## send 100,000 bad inputs to every edge and check what becomes of each (SEED=1)
	@$(BIN)/python -m tests.fuzz --seed $(SEED)

var/fuzz/venv/.ready: requirements/fuzz.txt
	@$(BIN)/python -m venv --clear var/fuzz/venv
	@var/fuzz/venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/fuzz.txt
	@touch $@

schemas: setup ## write the JSON Schemas and the AsyncAPI document anew from the contracts
	$(BIN)/python -m deploy.schemas

clean: ## stop the platform and delete its data, the test leftovers and all caches
	@if [ -x $(BIN)/rapport ]; then $(BIN)/rapport down --wipe; fi
	@rm -rf var build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
