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

install: $(READY) ## Create .venv with the package and its development tools

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $(READY)

train: $(READY) ## Train the default recipe on Fashion-MNIST, evaluate and export it
	$(BIN)/fmnist train --output model.pt
	$(BIN)/fmnist evaluate model.pt
	$(BIN)/fmnist export-onnx model.pt

demo: $(READY) ## Run the whole pipeline offline, on the sample of the data, in demo/
	@PATH="$(abspath $(BIN)):$$PATH" sh tests/demo.sh demo

test: $(READY) ## Run the tests (on real data, too, if FMNIST_MIRROR names the files)
	$(BIN)/python -m pytest -m "not proof" --numprocesses auto --dist loadfile

proof: $(READY) ## Run the long tests
	$(BIN)/python -m pytest -m proof --timeout 3600 -rA

check: $(READY) ## Check formatting, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(READY) ## Format the code and fix lint
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(READY) ## Measure every claim that needs no GPU (PHOTOS="DIR ..." for photos)
	$(BIN)/python -m benchmarks

bench-gpu: $(READY) ## Measure on a GPU for 8 minutes; repeat until it reports that it is done
	$(BIN)/python -m benchmarks.gpu --work $(GPU_WORK)

finder: $(READY) ## Train the network that finds the garment in a photo (PHOTOS="DIR ...")
	$(BIN)/python -m benchmarks.finder $(PHOTOS)

pretrained: $(READY) ## Train, measure and write the packaged model (PHOTOS="DIR ...")
	$(BIN)/python -m benchmarks.pretrained $(PHOTOS)

check-mirrors: $(READY) ## Try every mirror of the data set over the network
	$(BIN)/python -m benchmarks.check_mirrors

clean: ## Remove everything the targets created, including the environment
	rm -rf $(VENV) build dist *.egg-info demo runs .mypy_cache .pytest_cache .ruff_cache .hypothesis
