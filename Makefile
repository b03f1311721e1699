# Two commands: `make demo` and `make test`. Both set everything up first.
PYTHON ?= python3
# The requirement for PyTorch, installed first. For a CUDA machine, for example: make demo TORCH=torch==2.13.0+cu130
TORCH ?= torch==2.13.0
BIN := .venv/bin

.PHONY: demo test check venv clean

demo: venv
	$(BIN)/gauntlet run quick

test: check
	$(BIN)/python -m pytest

check: venv
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

venv: .venv/.installed

.venv/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed: make $(MAKECMDGOALS) PYTHON=python3.11"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet $(TORCH)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

clean:
	rm -rf .venv build *.egg-info
