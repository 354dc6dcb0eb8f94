# install | check | test | demo | bench; each works alone on a bare machine.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help install check test slow demo bench clean

help:
	@echo "make install  everything into $(VENV): torch first, then the pinned rest"
	@echo "make check    ruff, mypy, import-linter"
	@echo "make test     the default suite (no network, no GPU)"
	@echo "make demo     a repository and seven pull requests, trained and judged here"
	@echo "make bench    speed as ratios, written to tests/benchmarks/RESULTS.md"

install: $(STAMP)

# torch comes first: the build of deepspeed looks for it, and a CPU wheel is taken where offered.
$(STAMP): pyproject.toml .ci/constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "error: $(PYTHON) is not on PATH (PYTHON=... names another)"; exit 3; }
	@command -v g++ >/dev/null || command -v c++ >/dev/null || { echo "error: DeepSpeed needs a C++ compiler (Debian: apt-get install g++)"; exit 3; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q -c .ci/constraints.txt torch==2.13.0
	$(BIN)/python -m pip install -q -c .ci/constraints.txt -e '.[workers,github,dev]'
	$(BIN)/python -m pip check
	@touch $(STAMP)

check: $(STAMP)
	$(BIN)/ruff format --check llmops tests
	$(BIN)/ruff check llmops tests
	$(BIN)/mypy
	$(BIN)/lint-imports

test: $(STAMP)
	$(BIN)/python -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

slow: $(STAMP)
	$(BIN)/python -m pytest -q -m "slow or mirror" $(ARGS)

demo: $(STAMP)
	$(BIN)/python -m llmops demo

bench: $(STAMP)
	$(BIN)/python -m tests.benchmarks $(ARGS)

clean:
	rm -rf reports/runs reports/evidence reports/blobs build dist
