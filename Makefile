# The two commands of the README: `make demo` and `make test`. Both make .venv when it is missing.

PYTHON ?= python3
BIN := .venv/bin
# pip is quiet and never asks the network for a newer self; setuptools has something to say of every editable install (what it
# says of ours, tests/test_install.py reads).
PIP := PYTHONWARNINGS=ignore $(BIN)/python -m pip --disable-pip-version-check --quiet
# What was tested together is what is installed, the tools that build wheels too.
PINNED := --constraint constraints.txt --build-constraint constraints.txt
DEMO := demo

.PHONY: demo test test-slow bench man lock clean

$(BIN)/audiocli: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) install --upgrade --constraint constraints.txt pip
	$(PIP) install $(PINNED) -e . --group test
	touch $@

demo: $(BIN)/audiocli
	@sh bench/demo.sh $(BIN) $(DEMO)

test: $(BIN)/audiocli
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n 2 --dist loadfile

test-slow: $(BIN)/audiocli
	$(BIN)/python -m pytest -n 2 -m slow

bench: $(BIN)/audiocli
	$(BIN)/python -m bench

man: $(BIN)/audiocli
	$(BIN)/python man/generate.py

# Today's versions for pyproject's ranges; run the tests before they are committed.
lock: $(BIN)/audiocli
	$(BIN)/python .ci/lock.py

clean:
	rm -rf .venv $(DEMO) build *.egg-info
