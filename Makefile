# Every target works from a fresh clone, from a path with spaces in it, and a second time.
# Needs only Python 3.11 or newer, make and git.

VENV   := .venv
PY     := $(VENV)/bin/python
STAMP  := $(VENV)/.installed
AIRFLOW := .venv-airflow/.installed
SPARK  := .venv-spark/.installed
WORLD  ?= small

# The small CPU build of torch on Linux: make lab TORCH_INDEX=https://download.pytorch.org/whl/cpu
TORCH_INDEX ?=
PIP_ARGS := --quiet --disable-pip-version-check --no-compile $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX))

# The newest of the Pythons that are new enough; override with make PYTHON=/path/to/python3.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
  command -v $$p >/dev/null && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' && { command -v $$p; break; }; done)

.DEFAULT_GOAL := help
.PHONY: help install lab serve test lint types unit parity exercises hostile nbval walk grade browser airflow spark kill chaos soak fuzz bench audit lock clean

help:  ## this list
	@grep -hE '^[a-z]+:.*## ' Makefile | sed 's/:.*## /\t/' | expand -t 12

install: $(STAMP)  ## the virtual environment with every pinned package

$(STAMP): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed and was not found; install it, or: make PYTHON=/path/to/python3"; exit 1; }
	@test -x $(PY) || { echo "creating $(VENV) with $(PYTHON)"; "$(PYTHON)" -m venv $(VENV); }
	@echo "installing the pinned packages (about 1.6 GB on disk; a minute or two)"
	@$(PY) -m pip install $(PIP_ARGS) --upgrade pip
	@$(PY) -m pip install $(PIP_ARGS) -r requirements.lock
	@$(PY) -m pip install $(PIP_ARGS) --no-build-isolation --no-deps -e .
	@touch $(STAMP)

lab: $(STAMP)  ## world and model if there are none, then JupyterLab on the first notebook
	@$(PY) -m fraudkit doctor --quiet
	@$(PY) -m fraudkit setup --world $(WORLD)
	@echo "lab      JupyterLab opens at http://127.0.0.1:8888/lab/tree/00_start_here.ipynb (its log prints the link with the token)"
	@$(PY) -m jupyterlab $(LAB_ARGS) notebooks/00_start_here.ipynb

serve: $(STAMP)  ## the scoring service and its page
	@$(PY) -m fraudkit doctor --quiet
	@$(PY) -m fraudkit setup --world $(WORLD)
	@$(PY) -m fraudkit serve $(SERVE_ARGS)

test: lint types unit parity exercises hostile nbval walk grade browser  ## everything CI runs, cheap failures first

PYTEST := $(PY) -m pytest -n 2 --dist loadfile -q

lint: $(STAMP)  ## style
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .

types: $(STAMP)  ## static types
	@$(PY) -m mypy

unit: $(STAMP)  ## unit, contract, parity and service tests, then the docstrings' examples
	@$(PYTEST) -m "not browser and not hostile" tests
	@$(PY) -m pytest -q --doctest-modules fraudkit

parity: $(STAMP)  ## 50,000 events through the real store and offline, compared bit for bit
	@$(PY) -m fraudkit setup --world small
	@$(PY) -m fraudkit features parity --events 50000

exercises: $(STAMP)  ## exercises/ is what solutions/ make of it; every exercise through the author's gate
	@$(PY) -m fraudkit exercises build --check
	@$(PY) -m fraudkit template --check
	@$(PY) -m fraudkit exercises verify

hostile: $(STAMP)  ## notebooks that attack the grader
	@$(PY) -m pytest -q -m hostile tests

nbval: $(STAMP)  ## every notebook run, its saved outputs compared
	@$(PY) -m fraudkit setup --world small
	@$(PYTEST) --nbval --nbval-cell-timeout=120 --nbval-sanitize-with tests/nbval_sanitize.cfg notebooks

walk: $(STAMP)  ## every numbered notebook by papermill, with a table of times
	@$(PY) -m fraudkit setup --world small
	@$(PY) -m fraudkit walk

grade: $(STAMP)  ## the solutions graded as a learner's notebooks would be; every task must come out full
	@$(PY) -m fraudkit grade solutions --out data/graded-solutions --need-full

browser: $(STAMP)  ## the notebooks and the service in a real Chromium
	@$(PY) -m pytest -q -m browser tests

$(AIRFLOW): deploy/airflow/requirements.txt
	@"$(PYTHON)" -m venv .venv-airflow
	@echo "installing Airflow into .venv-airflow (about 0.5 GB on disk; a minute or two)"
	@.venv-airflow/bin/python -m pip install $(PIP_ARGS) --no-deps -r deploy/airflow/requirements.txt
	@touch $(AIRFLOW)

airflow: $(STAMP) $(AIRFLOW)  ## the daily retraining as a DAG, run by Airflow's own dag.test()
	@$(PY) -m pytest -q tests/pipeline/test_airflow.py

$(SPARK): deploy/spark/requirements.txt
	@"$(PYTHON)" -m venv .venv-spark
	@echo "installing Spark into .venv-spark (about 1.2 GB on disk; a minute or two)"
	@.venv-spark/bin/python -m pip install $(PIP_ARGS) --no-deps -r deploy/spark/requirements.txt
	@.venv-spark/bin/python -m pip install $(PIP_ARGS) --no-build-isolation --no-deps -e .
	@touch $(SPARK)

spark: $(STAMP) $(SPARK)  ## features, training set and trees by PySpark against those of one machine (needs Java 17)
	@$(PY) -m pytest -q tests/deploy/test_spark.py

kill: $(STAMP)  ## the service killed a hundred times under load, on SQLite: nothing acknowledged may be lost
	@$(PY) -m tests.chaos.kill

chaos: $(STAMP)  ## every part of the service off, slow and lying, alone and in pairs, under traffic (a quarter of an hour)
	@$(PY) -m tests.chaos.matrix

soak: $(STAMP)  ## ten minutes of steady traffic: no growth of memory, files, connections, threads or latency
	@$(PY) -m tests.chaos.soak

fuzz: $(STAMP)  ## 10,000 requests generated from the service's schema: no 500, no reply that the schema does not know
	@$(PY) -m tests.chaos.fuzz

bench: $(STAMP)  ## every published figure, measured again (about 40 minutes)
	@$(PY) -m benchmarks.all

audit: $(STAMP)  ## every locked package against the database of known vulnerabilities (needs the network)
	@$(PY) -m uv tool run --from pip-audit==2.10.1 pip-audit --strict --requirement requirements.lock --no-deps --disable-pip

lock: $(STAMP)  ## resolve requirements.lock again from pyproject.toml
	@$(PY) -m uv pip compile --quiet pyproject.toml --extra test --extra kafka --extra dynamodb --extra dev --python-version 3.11 \
	  $(UV_ARGS) --no-emit-find-links --no-emit-index-url --no-header -o requirements.lock
	@sed -i.bak 's/+cpu$$//' requirements.lock && rm requirements.lock.bak

clean:  ## remove the environment, worlds, models and caches
	rm -rf $(VENV) data build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
