# Every target sets itself up in .venv; the set-up runs again only when the dependencies change.
PYTHON ?= python3
WORKERS ?= 2
VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.installed-$(shell cat pyproject.toml constraints.txt | cksum | cut -d' ' -f1)
SOURCES := stylemix tests

.PHONY: help setup demo test lint check bench clean
help:
	@echo "make demo    set up, then hear and see stylemix on two small corpora it makes itself"
	@echo "make test    set up, then ruff, mypy and every test"
	@echo "make check   set up, then ruff, mypy, docs lint and the fast tests"
	@echo "make bench   set up, then print the benchmarks"
	@echo "make clean   remove what these made"

setup: $(STAMP)

$(STAMP):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "stylemix needs Python 3.11 or newer: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check --no-input -c constraints.txt -e '.[dev,tensorboard]'
	@rm -f $(VENV)/.installed-*
	@touch $@

demo: $(STAMP)
	$(VENV)/bin/stylemix demo --force

test: lint
	$(PY) -m pytest -n $(WORKERS) --dist loadfile

# The docs lint (numpydoc rules, the README's commands) is tests/test_docs.py; every pytest run runs the doctests.
lint: $(STAMP)
	$(PY) -m ruff check $(SOURCES)
	$(PY) -m mypy

check: lint
	$(PY) -m pytest -n $(WORKERS) --dist loadfile -m "not slow"

bench: $(STAMP)
	@set -e; for bench in tests/bench/bench_*.py; do echo "== $$bench"; $(PY) $$bench; done

clean:
	rm -rf $(VENV) build dist demo *.egg-info .pytest_cache .ruff_cache .mypy_cache
