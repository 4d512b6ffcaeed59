# Every target works from a clean clone; nothing is installed outside .venv and .cache,
# except Chromium for the browser tests where apt-get and root allow it.

VENV := .venv
PYTHON := $(VENV)/bin/python
SYSTEM_PYTHON := $(shell command -v python3.11 || command -v python3)
PIP := $(PYTHON) -m pip install --quiet --disable-pip-version-check
# the caller's databases and telemetry are not for our tests
CLEAN_ENV := env -u DATABASE_URL -u REDIS_URL -u SECRET_KEY -u STUDIO_DIR
PYTEST := $(PYTHON) -m pytest -n 2 --dist loadfile --no-loadscope-reorder -rs

.PHONY: demo test lint bench bench-baselines calibrate accuracy image-check venv clean
.DEFAULT_GOAL := demo

# make demo STUDIO_PORT=9000; make demo RESET=1 starts afresh
demo: $(VENV)/.requirements
	@export STUDIO_DEMO=1 SCRAPE_INTERVAL_SECONDS=$${SCRAPE_INTERVAL_SECONDS:-5}; \
	exec $(PYTHON) manage.py studio --demo $(if $(filter-out 0,$(RESET)),--reset)

venv: $(VENV)/.requirements-dev

$(VENV)/.created:
	@[ -n "$(SYSTEM_PYTHON)" ] || { echo "Python 3.11 or newer is needed."; exit 1; }
	@$(SYSTEM_PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed.")'
	$(SYSTEM_PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.requirements: requirements.txt $(VENV)/.created
	$(PIP) -r requirements.txt
	@touch $@

$(VENV)/.requirements-dev: requirements-dev.txt $(VENV)/.requirements
	$(PIP) -r requirements-dev.txt
	@touch $@

# the whole suite on PostgreSQL and Valkey, then what a database may change on the embedded defaults
test: $(VENV)/.requirements-dev
	@$(PYTHON) -m tests.servers.fetch
	@failed=; \
	echo "== PostgreSQL and Valkey"; \
	$(CLEAN_ENV) $(PYTHON) -m tests.servers -- $(PYTEST) || failed=1; \
	echo "== embedded: SQLite and the in-process broker"; \
	$(CLEAN_ENV) $(PYTEST) --another-database || failed=1; \
	[ -z "$$failed" ]

lint: $(VENV)/.requirements-dev
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	@scratch=$$(mktemp -d); trap 'rm -rf "$$scratch"' EXIT; set -ex; \
	$(CLEAN_ENV) STUDIO_DIR="$$scratch" $(PYTHON) manage.py makemigrations --check --dry-run; \
	$(CLEAN_ENV) STUDIO_DIR="$$scratch" $(PYTHON) manage.py check --fail-level WARNING

bench: $(VENV)/.requirements-dev
	@set -e; for file in benchmarks/[a-z]*.py; do \
		name=$$(basename $$file .py); echo "== $$name"; $(PYTHON) -m benchmarks.$$name; done

# directories of labelled incidents, in the format of docs/accuracy.md
CASES ?= $(error CASES="DIR..." names the directories of labelled incidents)

# beside random, n-sigma and BARO, which gets an environment of its own
bench-baselines: $(VENV)/.requirements-dev .cache/rcaeval/.installed
	@$(CLEAN_ENV) $(PYTHON) -m benchmarks.labelled.baselines $(CASES) --python .cache/rcaeval/bin/python

.cache/rcaeval/.installed: benchmarks/labelled/requirements-baro.txt
	@mkdir -p .cache
	$(SYSTEM_PYTHON) -m venv .cache/rcaeval
	.cache/rcaeval/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

# refits correlation/calibration.json and its part of docs/accuracy.md
calibrate: $(VENV)/.requirements-dev
	@mkdir -p .cache
	$(CLEAN_ENV) $(PYTHON) -m tests.correlation.simulated_answers .cache/simulated.json
	$(CLEAN_ENV) $(PYTHON) manage.py calibrate $(CASES) --answers .cache/simulated.json --docs

# the tables of docs/accuracy.md: every source left out, every horizon
accuracy: $(VENV)/.requirements-dev .cache/rcaeval/.installed
	$(CLEAN_ENV) $(PYTHON) -m benchmarks.labelled.accuracy $(CASES) --docs \
		--baro .cache/rcaeval/bin/python

# the steps of docker/Dockerfile without Docker, in a clean directory; a few minutes
image-check:
	@docker/build-check.sh

clean:
	rm -rf $(VENV) .cache .mypy_cache .ruff_cache .pytest_cache
