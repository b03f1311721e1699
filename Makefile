# Two commands: `make demo` and `make test`. Both set everything up first.
PYTHON ?= python3
# The requirement for PyTorch, installed first. For a CUDA machine, for example: make demo TORCH=torch==2.13.0+cu130
TORCH ?= torch==2.13.0
BIN := .venv/bin
# seqeval comes without a wheel; a pip older than 23.1 builds it in an environment that lacks what the build needs.
PIP_INSTALL := -m pip install --quiet --use-pep517
# TextAttack and OpenAttack, with the older releases they need.
GUESTS := .venv-guests/bin

.PHONY: demo test test-guests check venv guests clean

demo: venv
	$(BIN)/gauntlet run quick

test: check
	$(BIN)/python -m pytest

test-guests: guests
	$(GUESTS)/python -m pytest tests/guests

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
	$(BIN)/python $(PIP_INSTALL) --constraint constraints.txt --editable '.[dev]'
	touch $@

guests: .venv-guests/.installed

.venv-guests/.installed: pyproject.toml constraints-guests.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' \
		|| { echo "OpenAttack runs on Python 3.11 only: make $(MAKECMDGOALS) PYTHON=python3.11"; exit 1; }
	$(PYTHON) -m venv .venv-guests
	$(GUESTS)/python -m pip install --quiet $(TORCH)
	$(GUESTS)/python $(PIP_INSTALL) --constraint constraints-guests.txt --editable '.[guests]' hypothesis pytest
	touch $@

clean:
	rm -rf .venv .venv-guests build *.egg-info
