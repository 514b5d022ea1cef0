# The two commands of the README: `make demo` and `make test`. Both make .venv when it is missing.

PYTHON ?= python3
BIN := .venv/bin
# pip is quiet and never asks the network for a newer self.
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
DEMO := demo

.PHONY: demo test test-slow bench man clean

$(BIN)/audiocli: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) install --upgrade "pip>=25.1"
	$(PIP) install -e . --group test
	touch $@

demo: $(BIN)/audiocli
	@sh bench/demo.sh $(BIN) $(DEMO)

test: $(BIN)/audiocli
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n 2

test-slow: $(BIN)/audiocli
	$(BIN)/python -m pytest -n 2 -m slow

bench: $(BIN)/audiocli
	$(BIN)/python -m bench

man: $(BIN)/audiocli
	$(BIN)/python man/generate.py

clean:
	rm -rf .venv $(DEMO) build *.egg-info
