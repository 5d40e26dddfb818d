# The two commands that matter are `make run` and `make test`; README.md says what each does.
PYTHON ?= python3
PY := .venv/bin/python
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help run demo-reset pictures test soak lint format bench clean

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /|/' | awk -F'|' '{printf "  make %-12s %s\n", $$1, $$2}'

run: ## everything needed, then the app with demo data (PORT=8000)
	@$(PYTHON) tools/prepare.py run
	@$(PY) -m tools.serve

demo-reset: ## throw the demo data away and build it again
	@$(PYTHON) tools/prepare.py run
	@$(PY) -m tools.database reset

pictures: ## every screen and PDF page as PNG under build/pictures/
	@$(PYTHON) tools/prepare.py test
	@if [ -f tools/pictures.py ]; then $(PY) -m tools.pictures $(ARGS); else echo "tools/pictures.py is not there yet" >&2; exit 1; fi

test: ## everything needed, then the whole suite, a process a core (ARGS="tests/policing -x" for a part in one)
	@$(PYTHON) tools/prepare.py test
	@$(PY) -m pytest $(or $(ARGS),-n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder)

soak: ## a hundred thousand steps of the money machine, for hours (STORIES=3334)
	@$(PYTHON) tools/prepare.py test
	@MONEY_STORIES=$(or $(STORIES),3334) $(PY) -m pytest tests/journeys/test_money_machine.py $(ARGS)

lint: ## ruff, mypy --strict, djlint
	@$(PYTHON) tools/prepare.py lint
	@$(PY) -m tools.lint

format: ## let ruff write the layout
	@$(PYTHON) tools/prepare.py lint
	@$(PY) -m ruff check --fix . && $(PY) -m ruff format .

bench: ## all benchmarks, one JSON object a line
	@$(PYTHON) tools/prepare.py test >&2
	@$(PY) -m tools.bench $(ARGS)

clean: ## what tools leave behind; never the data in instance/
	@rm -rf build .pytest_cache .mypy_cache .ruff_cache .hypothesis htmlcov .coverage
	@find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
