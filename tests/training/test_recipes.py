"""Recipes: every entry is a config, and what is given wins over it."""

import re

import pytest

from fmnist_cli import models
from fmnist_cli.errors import UsageError
from fmnist_cli.training.options import OPTIONS
from fmnist_cli.training.recipes import ON_CUDA, RECIPES, configure


@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_is_a_config_of_an_existing_network(name: str, device: str) -> None:
    config = configure(recipe=name, device=device)
    assert config.recipe == name
    assert config.model in models.NETWORKS


def test_given_over_recipe_over_defaults() -> None:
    assert OPTIONS["lr"].default == 0.1
    assert configure(recipe="tutorial").lr == 1e-3
    assert configure(recipe="tutorial", lr=0.5).lr == 0.5
    assert configure(recipe="tutorial").seed == OPTIONS["seed"].default
    assert configure().recipe == "default"


def test_fast_is_otherwise_on_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    own, there = RECIPES["fast"], ON_CUDA["fast"]
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert configure(recipe="fast").epochs == own["epochs"] != there["epochs"]
    assert configure(recipe="fast", device="cuda:1").epochs == there["epochs"]
    assert configure(recipe="fast", device="cuda", epochs=7).epochs == 7
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    assert configure(recipe="fast").model == there["model"]
    assert configure(recipe="fast", device="cpu").model == own["model"]
    assert configure(recipe="tutorial") == configure(recipe="tutorial", device="auto")


def test_the_tutorial_recipe_is_the_courses() -> None:
    config = configure(recipe="tutorial")
    assert (config.model, config.epochs, config.batch_size) == ("tutorial", 20, 256)
    assert (config.optimizer, config.lr, config.weight_decay) == ("adam", 1e-3, 0.0)
    assert (config.schedule, config.augment, config.label_smoothing) == ("constant", "none", 0.0)


def test_the_small_network_is_small() -> None:
    assert models.count_parameters(models.build(configure(recipe="small").model)) < 100_000


@pytest.mark.parametrize(
    ("option", "value", "answer"),
    [
        ("recipe", "fest", "did you mean 'fast'"),
        ("epoch", 3, "did you mean 'epochs'"),
        ("epochs", "x", "expected int"),
        ("epochs", 2.5, "expected int"),
        ("epochs", True, "expected int"),
        ("lr", "0.1", "expected float"),
        ("augment", ["flip"], "expected str"),
        ("recipe", None, "expected str"),
        ("val_size", "a share", "expected int | float | None"),
        ("compile", 1, "expected bool"),
        ("optimizer", ["sgd"], "expected sgd, adam, adamw"),
    ],
)
def test_a_wrong_name_or_type_gets_its_answer(option: str, value: object, answer: str) -> None:
    with pytest.raises(UsageError, match=re.escape(f"; {answer}")):
        configure(**{option: value})


def test_an_integer_is_a_number_and_none_leaves_an_option_unset() -> None:
    config = configure(lr=1, val_size=0, ema=None, time_budget=60)
    assert (config.lr, config.val_size, config.ema, config.time_budget) == (1, 0, None, 60)
