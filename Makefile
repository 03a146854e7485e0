# Two commands: `make run` opens the chat window, `make test` runs every test. Both make the environment first.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check -q -c constraints.txt

.PHONY: run test gate ask build clean

run: $(VENV)/base
	@$(BIN)/delningsstod corpus build
	@$(BIN)/delningsstod serve

ask: $(VENV)/base
	@$(BIN)/delningsstod ask "$(Q)"

build: $(VENV)/base
	@$(BIN)/delningsstod corpus build

test: $(VENV)/all
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile
	@$(MAKE) -s gate

# The fast cases against the thresholds, on an index of our notes alone: no official text is needed.
gate: $(VENV)/all
	@$(BIN)/delningsstod evals run --subset fast --index build/gate/index --out build/gate/runs
	@$(BIN)/delningsstod evals gate --out build/gate/runs

# The base environment: no torch, no test tools. Made anew when what it should hold changes.
$(VENV)/base: pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null 2>&1 || { echo "Python 3.11 krävs ($(PYTHON) hittades inte). Ange en annan med: make $(MAKECMDGOALS) PYTHON=python3"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Gör i ordning miljön ($(VENV)) ..."
	@$(PIP) -e .
	@touch $@

$(VENV)/all: $(VENV)/base
	@echo "Gör i ordning testmiljön ..."
	@$(PIP) -e ".[models,evals,test]"
	@touch $@

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
