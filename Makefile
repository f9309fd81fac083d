# Two commands do everything on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt

.PHONY: demo test soak bench clean

$(VENV)/demo.stamp: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) --editable '.[demo]'
	touch $@

$(VENV)/dev.stamp: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) --editable '.[dev]'
	touch $@

# The main job on real data that packages ship; prints where the report is.
demo: $(VENV)/demo.stamp
	$(BIN)/radlake demo --out demo-out

# Everything that CI checks. Threads that wait actively would stall each other on a busy machine.
test: $(VENV)/dev.stamp
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	OMP_WAIT_POLICY=passive $(BIN)/python -m pytest -m "not soak"

# The long forms of the proofs that `make test` holds in short form.
soak: $(VENV)/dev.stamp
	$(BIN)/python -m pytest -m soak

# Ratios against named peers, each in one run.
bench: $(VENV)/dev.stamp
	for script in benchmarks/*.py; do OMP_NUM_THREADS=1 $(BIN)/python $$script || exit 1; done

clean:
	rm -rf $(VENV) demo-out build dist
