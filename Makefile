# fmnist: train, evaluate and export Fashion-MNIST classifiers.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
GPU_WORK ?= build/gpu

.DEFAULT_GOAL := help
.PHONY: help install train demo test proof check format bench bench-gpu finder pretrained check-mirrors clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-16s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(READY) ## Make .venv with the package and its development tools

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $(READY)

train: $(READY) ## Train the default recipe on Fashion-MNIST, evaluate and export it
	$(BIN)/fmnist train --output model.pt
	$(BIN)/fmnist evaluate model.pt
	$(BIN)/fmnist export-onnx model.pt

demo: $(READY) ## The whole pipeline on a sample of the data, without a network, into demo/
	@PATH="$(abspath $(BIN)):$$PATH" sh tests/demo.sh demo

test: $(READY) ## Run the tests (real data is tested where FMNIST_MIRROR names the files)
	$(BIN)/python -m pytest -m "not proof" --numprocesses auto --dist loadfile

proof: $(READY) ## Run the long proofs
	$(BIN)/python -m pytest -m proof --timeout 3600 -rA

check: $(READY) ## Format, lint and type-check
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(READY) ## Rewrite the code in the project's format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(READY) ## Measure every claim that fits a CPU machine (PHOTOS="DIR ..." for photos)
	$(BIN)/python -m benchmarks

bench-gpu: $(READY) ## Measure on a GPU for 8 minutes; again until it says it is done
	$(BIN)/python -m benchmarks.gpu --work $(GPU_WORK)

finder: $(READY) ## Train the network that finds the garment in a photo (PHOTOS="DIR ...")
	$(BIN)/python -m benchmarks.finder $(PHOTOS)

pretrained: $(READY) ## Train, measure and write the packaged model (PHOTOS="DIR ...")
	$(BIN)/python -m benchmarks.pretrained $(PHOTOS)

check-mirrors: $(READY) ## Try every mirror of the data over the network
	$(BIN)/python -m benchmarks.check_mirrors

clean: ## Remove what the targets made, the environment included
	rm -rf $(VENV) build dist *.egg-info demo runs .mypy_cache .pytest_cache .ruff_cache .hypothesis
