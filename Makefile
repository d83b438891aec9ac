# Partnerline. `make help` lists what can be typed here.
SHELL := /bin/sh
PY := .venv/bin/python
UV := .venv/bin/uv
UV_VERSION := 0.13.9
PORT ?= 8080
export UV_PYTHON_DOWNLOADS := never
export UV_LINK_MODE := copy

.PHONY: help run test check bench bench-full diagram lock clean
.DEFAULT_GOAL := help

help: ## list these commands
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: .venv/.run ## start the demo: web and worker on SQLite, no account needed (PORT=8080)
	@PORT=$(PORT) exec .venv/bin/ivr demo

test: .venv/.dev ## the whole suite: SQLite, real Postgres, real processes
	.venv/bin/python -m pytest -n auto --dist worksteal

check: .venv/.dev ## format, lint, types, import contract
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports

bench: .venv/.dev ## what a turn, a decision and a proof cost, as ratios of a floor measured in the same run
	.venv/bin/python -m bench

bench-full: .venv/.dev ## the same, with the long load and the big log
	.venv/bin/python -m bench --full

diagram: .venv/.run ## draw the conversation from its own table into docs/conversation.md
	.venv/bin/ivr diagram --write docs/conversation.md

lock: .venv/uv-$(UV_VERSION) ## resolve the dependencies anew
	$(UV) pip compile pyproject.toml --generate-hashes --no-emit-index-url --no-header --python-version 3.11 -q -o requirements/run.txt
	$(UV) pip compile pyproject.toml --extra dev --generate-hashes --no-emit-index-url --no-header --python-version 3.11 -q -o requirements/dev.txt

.venv/uv-$(UV_VERSION):
	python3 -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@touch $@

.venv/.run: requirements/run.txt pyproject.toml .venv/uv-$(UV_VERSION)
	@test -f .venv/.dev || $(UV) pip sync --quiet --compile-bytecode --python $(PY) --require-hashes requirements/run.txt
	@test -f .venv/.dev || $(UV) pip install --quiet --python $(PY) --no-deps --no-build-isolation -e .
	@touch $@

.venv/.dev: requirements/dev.txt pyproject.toml .venv/uv-$(UV_VERSION)
	$(UV) pip sync --quiet --compile-bytecode --python $(PY) --require-hashes requirements/dev.txt
	$(UV) pip install --quiet --python $(PY) --no-deps --no-build-isolation -e .
	@touch $@ .venv/.run

clean: ## remove what was built and the local data
	rm -rf .venv var .pytest_cache .mypy_cache .ruff_cache *.egg-info
