# Pellucid's commands. `make test` is what the README names, what CI runs and what a developer runs.
# Needs Python 3.11 or newer (with its venv module), make and a C compiler. Nothing else has to be there.

SHELL := /bin/bash
PYTHON ?= python3
WORKERS ?= 2
BIN := .venv/bin
READY := .venv/.ready
BEGAN := $(shell date +%s)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_CONSTRAINT := constraints.txt

# $(call step,what it is,command): say what runs, run it, say how long it took.
define step
	@printf '== %s\n' '$(1)'; began=$$(date +%s); \
	$(2) || { printf '== %s: FAILED after %s s\n' '$(1)' "$$(( $$(date +%s) - began ))"; exit 1; }; \
	printf '== %s: %s s\n' '$(1)' "$$(( $$(date +%s) - began ))"
endef

ADVICE = { echo "Installing failed; the lines of pip above say why. No network: run the same command again later."; \
	  echo "Disk full: about 2 GB are needed. No matching version: use Python 3.11, 3.12 or 3.13."; false; }

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup demo test check format lint types imports size unit slow bench demo-table classic-table \
        fast-table ladder-table zoo-table segmentation-table detection-table depth-runs cell-search lessons errata mutants questions wheel wheel-check fix clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

setup: $(READY) ## the environment .venv (the other commands make it by themselves)

demo: $(READY) ## from pictures to a trusted model, as the README shows
	$(BIN)/python recipes/demo.py

test: check unit wheel-check ## everything below: what CI runs
	@echo "make test: all passed in $$(( $$(date +%s) - $(BEGAN) )) s"

check: format lint types imports size ## format, lint, types, imports and sizes, without running tests

format: $(READY) ## is every file formatted?
	$(call step,format,$(BIN)/ruff format --check .)

lint: $(READY) ## the linter
	$(call step,lint,$(BIN)/ruff check .)

types: $(READY) ## the type checker
	$(call step,types,$(BIN)/mypy)

imports: $(READY) ## which folder may import which
	$(call step,imports,$(BIN)/lint-imports --no-logo)

size: $(READY) ## sizes of files, functions and folders
	$(call step,size,$(BIN)/python tools/size_report.py)

unit: $(READY) ## the quick tests, one thread each (WORKERS=2)
	$(call step,tests,OMP_NUM_THREADS=1 $(BIN)/pytest -n $(WORKERS))

slow: $(READY) ## the tests that take minutes
	$(call step,slow tests,$(BIN)/pytest -m slow --timeout 1800)

bench: $(READY) ## speed, beside the usual way of doing the same
	@for script in $$(grep -l __main__ benchmarks/*.py); do echo "== $$script"; $(BIN)/python $$script || exit 1; done

demo-table: $(READY) ## what the demo reaches over three seeds, as docs/demo.md (about ten minutes)
	$(BIN)/python tools/measure_demo.py

classic-table: $(READY) ## what neighbours and linear models reach, as docs/before-deep-nets.md (15 minutes)
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python tools/measure_classical.py

fast-table: $(READY) ## how soon full Fashion-MNIST is at 94 %, as docs/time-to-accuracy.md (half an hour; resumable)
	OMP_NUM_THREADS=1 $(BIN)/python tools/measure_time_to_accuracy.py

ladder-table: $(READY) ## every kind of classifier on full Fashion-MNIST, as docs/ladder.md (1.5 hours; resumable)
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python tools/measure_ladder.py

zoo-table: $(READY) ## what every family of networks reaches, as docs/zoo-accuracy.md (hours; resumable)
	OMP_NUM_THREADS=1 $(BIN)/python tools/measure_zoo.py

segmentation-table: $(READY) ## what segmenters reach on scenes and nuclei, as docs/segmentation-accuracy.md (hours; resumable)
	OMP_NUM_THREADS=1 $(BIN)/python tools/measure_segmentation.py

detection-table: $(READY) ## what detectors reach on scenes and nuclei, as docs/detection-accuracy.md (hours; resumable)
	OMP_NUM_THREADS=1 $(BIN)/python tools/measure_detection.py

doctor-table: $(READY) ## every planted fault and healthy run, and what is said of them, as docs/doctor.md (ten minutes; resumable)
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python benchmarks/doctor.py

curves: $(READY) ## the curves that the curve doctor is tuned on and judged by, and how many it names right (minutes)
	OMP_NUM_THREADS=1 $(BIN)/python tools/make_curves.py tuning
	OMP_NUM_THREADS=1 $(BIN)/python tools/make_curves.py held
	$(BIN)/python tools/judge_curves.py held

depth-runs: $(READY) ## plain and residual networks of 20 and 56 layers, for docs/architectures (ten minutes; resumable)
	OMP_NUM_THREADS=1 $(BIN)/python tools/measure_depth.py

cell-search: $(READY) ## search for a cell, as docs/architectures/architecture_search.md shows (ten minutes; resumable)
	$(BIN)/python tools/search_architecture.py

lessons: $(READY) ## docs/from-scratch: a page a layer, with its proofs and planted bugs (minutes)
	$(BIN)/python tools/write_lessons.py

questions: $(READY) ## docs/from-scratch/questions, docs/classic, docs/detection and so on: experiments that answer questions and show claims
	$(BIN)/python tools/write_questions.py

mutants: $(READY) ## plant every bug in the hand-written layers; fails when a proof misses one (minutes)
	$(BIN)/python tools/planted_bugs.py

errata: $(READY) ## docs/errata.md: what the notes have wrong, tried
	$(BIN)/python tools/write_errata.py

wheel: $(READY) ## build dist/pellucid-*.whl
	$(BIN)/python -m build --wheel --no-isolation --outdir dist

wheel-check: $(READY) ## build the wheel and use it from an empty environment
	$(call step,wheel,$(BIN)/python tools/check_wheel.py)

fix: $(READY) ## format, and mend what the linter can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## remove what building and testing left behind (the environment stays)
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find src tests tools recipes benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

# torch first and alone, in the version of constraints.txt: a package asked for before it may pull in a larger build.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Pellucid needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) -V 2>&1 || true)."; \
	  echo "Name one that is: make PYTHON=python3.12 test"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { rm -rf .venv; \
	  echo "Making .venv failed: install Python's venv module (Debian, Ubuntu: apt-get install python3-venv)."; exit 1; }
	$(call step,install torch,$(BIN)/python -m pip install -q "$$(grep '^torch==' constraints.txt)" || $(ADVICE))
	$(call step,install the rest,$(BIN)/python -m pip install -q -e '.[dev]' || $(ADVICE))
	@touch $(READY)
