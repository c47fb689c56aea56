# The verbs of the project. `make run` and `make test` are all a newcomer needs; both set everything up first.
# Each step leaves a stamp in .make/, so that a second run does only what changed.

SHELL := /bin/sh
.DEFAULT_GOAL := build
.DELETE_ON_ERROR:

PYTHON ?= python3
BIN := .venv/bin
STAMP := .make
PACKAGES := colloque sfu signalling rooms control_api turn_config loadtest
CORE := sfu/core
CARGO_IN_CORE := cd $(CORE) && cargo
BROWSER_CLIENT := tests/integration/browser
SERVER_SDK := tests/integration/server_sdk
API_CLIENTS := tests/integration/clients
STRANGERS := .venv-strangers

# Sources of the wheel; build results that lie among them are not sources.
WHEEL_SOURCES := $(shell find $(PACKAGES) -type f \
	-not -path '*/target/*' -not -path '*/__pycache__/*' -not -path 'colloque/_web/*' -not -name '*.so' \
	-not -name '.*' 2>/dev/null)
PAGE_SOURCES := $(shell find web -type f -not -path '*/node_modules/*' -not -path '*/dist/*' 2>/dev/null)
CLIENT_SOURCES := $(shell find $(BROWSER_CLIENT)/client -type f 2>/dev/null)

.PHONY: build run test check dev figures figures-api figures-join kills clean toolchain system-packages rust-tests instructions python-tests unit-tests integration-tests web-tests web-check client-check lock

build: $(STAMP)/wheel

run: build
	$(BIN)/colloque demo

# What waits for nothing but a processor runs two at a time; the integration tests have the machine for themselves.
test: system-packages build $(STAMP)/venv-dev
	$(MAKE) --jobs=2 --output-sync=target check rust-tests instructions web-tests unit-tests
	$(MAKE) integration-tests

toolchain:
	@PYTHON="$(PYTHON)" .ci/toolchain

system-packages:
	@.ci/system-packages

$(STAMP):
	@mkdir -p $@

# --- the environment: exact versions, checked by hash ---

$(STAMP)/venv: requirements/run.txt requirements/build.txt .ci/toolchain | $(STAMP) toolchain
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/run.txt -r requirements/build.txt
	@touch $@

$(STAMP)/venv-dev: requirements/dev.txt $(STAMP)/venv
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/dev.txt
	@touch $@

lock: $(STAMP)/venv-dev
	PATH="$(CURDIR)/$(BIN):$$PATH" requirements/lock

# --- the page ---

$(STAMP)/web-packages: web/package.json web/package-lock.json | $(STAMP) toolchain
	cd web && npm ci --no-progress
	@touch $@

$(STAMP)/page: $(STAMP)/web-packages $(PAGE_SOURCES)
	cd web && npm run build
	@touch $@

# --- the wheel ---

$(STAMP)/wheel: $(STAMP)/venv $(STAMP)/page $(WHEEL_SOURCES) pyproject.toml
	rm -rf dist
	$(BIN)/maturin build --release --interpreter $(BIN)/python --out dist
	$(BIN)/python -m pip install --quiet --no-deps --force-reinstall dist/colloque-*.whl
	@touch $@

# For work on the sources: the Rust core built into the tree, the Python packages used in place.
dev: $(STAMP)/venv-dev $(STAMP)/page
	$(BIN)/maturin develop --skip-install
	@rm -f $(STAMP)/wheel

# --- checks: fast, no server started ---

check: build $(STAMP)/venv-dev web-check client-check
	$(CARGO_IN_CORE) fmt --all --check
	$(CARGO_IN_CORE) clippy --locked --workspace --all-targets -- -D warnings
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	cd $(STAMP) && MYPYPATH=$(CURDIR) ../$(BIN)/stubtest sfu._core
	$(BIN)/lint-imports
	$(BIN)/pytest -q tests/unit/test_import_gates.py

web-check: $(STAMP)/web-packages
	cd web && npm run check

client-check: $(STAMP)/browser-client
	cd $(BROWSER_CLIENT) && npm run check

# --- tests ---

rust-tests: | toolchain
	$(CARGO_IN_CORE) test --locked --workspace

# What forwarding a packet costs, in instructions.
instructions: | toolchain system-packages
	@.ci/instructions

web-tests: $(STAMP)/web-packages
	cd web && npm test

$(STAMP)/browser-client: $(BROWSER_CLIENT)/package.json $(BROWSER_CLIENT)/package-lock.json $(BROWSER_CLIENT)/build.mjs $(CLIENT_SOURCES) | $(STAMP) toolchain
	cd $(BROWSER_CLIENT) && npm ci --no-progress && npm run build
	@touch $@

$(STAMP)/server-sdk: $(SERVER_SDK)/package.json $(SERVER_SDK)/package-lock.json | $(STAMP) toolchain
	cd $(SERVER_SDK) && npm ci --no-progress
	@touch $@

# Programs that use the REST interface as strangers do, by its OpenAPI file; apart from ours, as theirs are.
$(STAMP)/strangers: requirements/strangers.txt $(API_CLIENTS)/package.json $(API_CLIENTS)/package-lock.json | $(STAMP) toolchain
	$(PYTHON) -m venv $(STRANGERS)
	$(STRANGERS)/bin/python -m pip install --quiet --require-hashes -r requirements/strangers.txt
	cd $(API_CLIENTS) && npm ci --no-progress
	@touch $@

python-tests: unit-tests integration-tests

# Nothing in them waits or is heard outside its process, so each processor takes a share.
unit-tests: build $(STAMP)/venv-dev system-packages
	$(BIN)/pytest -n auto --maxprocesses 4 --dist worksteal tests/unit tests/contract $(PYTEST_ARGS)

# One after the other: they look at times, sockets and browsers, which neighbours disturb.
integration-tests: build $(STAMP)/venv-dev $(STAMP)/browser-client $(STAMP)/server-sdk $(STAMP)/strangers system-packages
	$(BIN)/pytest --durations=20 --durations-min=5 tests/integration $(PYTEST_ARGS)

# How quick a call is on this machine, in milliseconds; about five minutes.
figures: build $(STAMP)/venv-dev $(STAMP)/browser-client system-packages
	$(BIN)/python -m tests.figures.first_call

# The server killed at random moments under twenty writers, far oftener than in the suite; about ten minutes.
kills: build $(STAMP)/venv-dev
	COLLOQUE_TEST_KILLS=300 $(BIN)/pytest tests/integration/test_sudden_ends.py

# What the room API holds beside a call, and what ten thousand planned rooms cost; about two minutes.
figures-api: build $(STAMP)/venv-dev
	@mkdir -p $(STAMP)/beside && ln -sfn ../../tests $(STAMP)/beside/tests
	@# Where the sources are not, so that the wheel is measured.
	cd $(STAMP)/beside && ../../$(BIN)/python -m tests.figures.room_api

# What coming into a call and leaving it cost the processor; about four minutes, on two cores that do nothing else.
# FIGURES_ARGS="--against /path/of/its/colloque" measures another build at the same time.
figures-join: build $(STAMP)/venv-dev
	@mkdir -p $(STAMP)/beside && ln -sfn ../../tests $(STAMP)/beside/tests
	cd $(STAMP)/beside && ../../$(BIN)/python -m tests.figures.join_cost $(FIGURES_ARGS)

clean:
	rm -rf .venv $(STRANGERS) .make dist colloque/_web web/node_modules $(BROWSER_CLIENT)/node_modules \
		$(SERVER_SDK)/node_modules $(API_CLIENTS)/node_modules $(CORE)/target sfu/*.so
