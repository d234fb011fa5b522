# make chat   ask the sample collection in a chat window
# make test   lint, types and every test, browser tests included
# make gate   the sixty questions about the sample collection: no figure may be significantly lower
#             (changed on purpose, or what is read from the documents changed: make baseline)
# make scoreboard   every benchmark in BENCHMARKS; writes evals/SCOREBOARD.md

PYTHON ?= python3
BIN := .venv/bin
BENCHMARKS ?= ../shared/benchmarks
BASELINE := evals/sets/sample.baseline.jsonl.gz
FLOORS := --fail-under "nDCG@10=0.8" --fail-under "citation_hit=0.75" --fail-under "quote_exact=1"
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: chat test lint types unit gate baseline bench scoreboard clean

chat: .venv/installed
	$(BIN)/assistant chat

test: lint types unit

.venv/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; assert (3, 11) <= sys.version_info < (3, 14)' 2>/dev/null \
		|| { echo "python3 3.11, 3.12 or 3.13 is needed; name one with PYTHON=python3.12"; exit 2; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null \
		|| { echo "python3 has no venv: apt-get install python3-venv"; exit 2; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet -c constraints.txt -e .
	@touch $@

.venv/installed-test: .venv/installed
	$(BIN)/pip install --quiet -c constraints.txt -e '.[test]'
	@touch $@

lint: .venv/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/installed-test
	rm -rf build/check
	$(BIN)/pip install --quiet --no-deps --target build/check .
	MYPYPATH=build/check $(BIN)/mypy --strict -p assistant

unit: .venv/installed-test
	$(BIN)/pytest

gate: .venv/installed-test
	rm -rf build/gate
	$(BIN)/assistant eval run sample --data build/gate $(FLOORS) --baseline $(BASELINE) \
		--tolerance 0.02 --junit artifacts/gate.xml --report artifacts/gate.html

baseline: .venv/installed-test
	rm -rf build/gate
	$(BIN)/assistant eval run sample --data build/gate --out build/gate/sample.jsonl
	gzip -9nc build/gate/sample.jsonl > $(BASELINE)

scoreboard: .venv/installed-test
	@test -d $(BENCHMARKS) || { echo "no benchmarks in $(BENCHMARKS): name the folder with BENCHMARKS=DIR"; exit 2; }
	$(BIN)/assistant eval scoreboard $(BENCHMARKS) --out evals/SCOREBOARD.md \
		--commit "$$(git describe --always --dirty)" --data build/scoreboard

bench: .venv/installed-test
	$(BIN)/pytest tests/benchmarks --override-ini addopts="-s --import-mode=importlib"

clean:
	rm -rf .venv build dist artifacts .pytest_cache .mypy_cache .ruff_cache
