# `make start` runs the app, `make demo` shows what it does, `make test` checks it.

PYTHON ?= python3
VENV ?= .venv
JOBS ?= 3
BIN = $(VENV)/bin
PIP = $(BIN)/python -m pip --quiet --disable-pip-version-check
# What is claimed of the tracking database holds in PostgreSQL as in SQLite.
SHARED = $(addprefix tests/test_, $(addsuffix .py, tracking edits discover intake \
	undo ownwords reconcile tagging sidecar_scan mirror folder_schedule))
FAILED = { echo "Installing failed: see above, then run make again." >&2; exit 1; }

.PHONY: start demo install exiftool test test-slow lint audit format bench bench-catalogue bench-screens bench-api screenshots clean help

start: install exiftool  ## install what is needed, and run the app
	@$(BIN)/python -m tagger serve

demo: install exiftool  ## tag a fresh copy of the sample photographs
	@$(BIN)/python -m tagger demo

install: $(VENV)/.installed  ## make the virtual environment and fill it

$(VENV)/.installed: requirements.txt
	@sh scripts/ensure-venv "$(PYTHON)" "$(VENV)"
	@echo "Installing what the program needs into $(VENV) …" >&2
	@$(PIP) install -r requirements.txt || $(FAILED)
	@touch $@

exiftool:  ## install exiftool where that may be done, otherwise say how
	@sh scripts/ensure-exiftool

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.txt requirements-lake.txt requirements-oidc.txt
	@echo "Installing what the checks need into $(VENV) …" >&2
	@$(PIP) install -r requirements-dev.txt || $(FAILED)
	@touch $@

lint: $(VENV)/.installed-dev  ## check style, types and what is dangerous
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive tagger pages app.py scripts

audit: $(VENV)/.installed-dev  ## ask whether known holes are in what is pinned; needs the internet
	@# Strict, because what could not be asked about would otherwise pass for good.
	$(BIN)/pip-audit --strict --no-deps --disable-pip \
		$(addprefix --requirement requirements, .txt -lake.txt -postgresql.txt)

format: $(VENV)/.installed-dev  ## put the code into its style
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

test: lint exiftool  ## check style, types and behaviour, at most 12 minutes on 2 cores
	$(BIN)/python -m pytest --numprocesses $(JOBS) --dist worksteal

test-slow: $(VENV)/.installed-dev exiftool  ## kills, load and torture, at most 45 minutes
	$(BIN)/python -m pytest -m "slow and not alone" --timeout 1200 \
		--numprocesses $(JOBS) --dist loadgroup
	$(BIN)/python -m pytest --postgresql --timeout 600 --numprocesses $(JOBS) \
		--dist worksteal $(SHARED)
	$(BIN)/python -m pytest -m "slow and alone" --timeout 1200

bench: install exiftool  ## measure how fast it is here; BENCH="--only scan" for parts
	@$(BIN)/python -m tagger bench $(BENCH)

bench-catalogue: install  ## measure a catalogue of a million made-up photos; BENCH="--photos 100000"
	@$(BIN)/python -m scripts.bench_catalogue $(BENCH)

bench-screens: $(VENV)/.installed-dev  ## measure the screens in a browser; BENCH="--only visits"
	@$(BIN)/python -m scripts.bench_screens $(BENCH)

bench-api: $(VENV)/.installed-dev exiftool  ## measure the API under fifty people; BENCH="--only as_people_do"
	@$(BIN)/python -m scripts.bench_api $(BENCH)

screenshots: $(VENV)/.installed-dev exiftool  ## make the pictures in docs anew
	@$(BIN)/python -m scripts.screenshots

clean:  ## remove the virtual environment and caches; data stays
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache

help:  ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' Makefile | \
		while IFS='|' read -r name text; do printf '%-15s  %s\n' "$$name" "$$text"; done
