# `make start` runs the app, `make demo` shows what it does, `make test` checks it.

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
SH = sh scripts

.PHONY: start demo install exiftool test test-slow lint format clean

start: install exiftool  ## install what is needed, and run the app
	@$(BIN)/python -m tagger serve

demo: install exiftool  ## tag a fresh copy of the sample photographs
	@$(BIN)/python -m tagger demo

install: $(VENV)/.installed

$(VENV)/.installed: requirements.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || \
		{ echo "Python cannot make a virtual environment; on Debian: sudo apt install python3-venv"; exit 1; }
	@echo "Installing what the program needs into $(VENV) …"
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

exiftool:
	@$(SH)/ensure-exiftool

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

lint: $(VENV)/.installed-dev  ## style and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(VENV)/.installed-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

test: lint  ## the quick tests, at most 12 minutes on 2 cores
	$(BIN)/python -m pytest

test-slow: $(VENV)/.installed-dev  ## kills, load and torture, at most 45 minutes
	$(BIN)/python -m pytest -m slow --timeout 1200

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache
