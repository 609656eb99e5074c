# The commands are told in README.md. Everything runs in .venv, which is made when it is missing.

PYTHON ?= python3
PORT ?= 8000
BIN := .venv/bin
MANAGE := $(BIN)/python manage.py
export PORT WORKERS

.PHONY: demo install serve worker test bench lint messages schema

demo: .venv/.installed
	@exec $(MANAGE) demo --port $(PORT) $(if $(RESET),--reset)

install: .venv/.installed

serve: .venv/.installed
	@exec $(BIN)/python -m couponsite.serving

worker: .venv/.installed
	@exec $(BIN)/celery -A couponsite worker -B -l INFO

# Everything that is tested, one step after the other; the first that fails ends it.
test: lint
	.ci/system chromium fonts gettext curl
	$(MANAGE) makemigrations --check --dry-run --settings=tests.settings
	SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(64))') \
	  $(BIN)/django-admin check --deploy --fail-level WARNING --settings=couponsite.settings --pythonpath=.
	$(MANAGE) spectacular --validate --fail-on-warn --lang en --file var/openapi.yaml --settings=tests.settings
	diff -u docs/openapi.yaml var/openapi.yaml || { echo 'docs/openapi.yaml is behind the code: make schema'; exit 1; }
	$(BIN)/pytest -n 2

lint: .venv/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

bench: .venv/.installed-dev
	$(BIN)/python -m tests.bench

# Collects the words to translate from the sources into the catalogues.
messages: .venv/.installed-dev
	.ci/system gettext
	$(MANAGE) messages --settings=tests.settings

schema: .venv/.installed-dev
	$(MANAGE) spectacular --validate --lang en --file docs/openapi.yaml --settings=tests.settings

.venv/bin/python:
	.ci/venv $(PYTHON)

.venv/.installed: requirements.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --use-pep517 --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/.installed-dev: requirements.txt requirements-dev.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --use-pep517 --disable-pip-version-check -r requirements-dev.txt
	@touch $@ .venv/.installed
