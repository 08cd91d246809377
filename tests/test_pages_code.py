"""The Python that the pages show does what they say."""

import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from torch import nn

import fmnist_cli
from fmnist_cli import configure, load, models, train
from fmnist_cli.checkpoints.archive import read_metadata
from fmnist_cli.data.sources import open_source
from fmnist_cli.export.onnx_file import export
from fmnist_cli.models.convnet import ConvNet, Stage
from fmnist_cli.models.registry import Network
from fmnist_cli.training import recipes

DOCS = Path(__file__).parents[1] / "docs"
QUICK = {"data": "sample:200", "epochs": 1, "batch_size": 50, "threads": 1}


def blocks(page: str) -> list[str]:
    """A page's Python, block by block."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)


def test_python_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "page"}
    for code in blocks("python.md"):
        exec(compile(code, "docs/python.md", "exec"), names)
    assert names["probabilities"].shape == (500, 10)
    assert names["pixels"].shape == (28, 28)
    assert names["result"].epoch == 2
    assert (tmp_path / "run/last.pt").exists()
    assert names["run"].summary.epochs == 2
    assert (tmp_path / "stoppable/curves.png").exists()
    assert len(names["validation"]) == 100
    assert names["evaluation"].seen_in_training == 0
    assert (tmp_path / "model.onnx").exists()
    assert fmnist_cli.__version__
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        fmnist_cli.nothing  # noqa: B018


@pytest.mark.parametrize("page", ["your-data.md", "your-network.md"])
def test_own_data_and_network(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "page"}
    for code in blocks(page):
        exec(compile(code, page, "exec"), names)
    if page == "your-data.md":
        assert names["result"].val_accuracy > 0.9
        assert load("model.pt").classes == ("noise", "square")
    else:
        assert names["classifier"](open_source("sample").read("test").images).shape == (500, 10)


def test_adding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each entry of the page, put where the page says: it trains, loads, and is exported."""
    stages, architecture, network, recipe = blocks("adding.md")
    names: dict[str, Any] = {"__name__": "page", "partial": partial}
    names |= {"ConvNet": ConvNet, "Stage": Stage, "Network": Network}
    exec(compile(architecture, "docs/adding.md", "exec"), names)
    for code, entries in ((stages, models.NETWORKS), (network, models.NETWORKS),
                          (recipe, recipes.RECIPES)):  # fmt: skip
        for name, entry in eval(f"{{{code}}}", names).items():
            monkeypatch.setitem(entries, name, entry)
    monkeypatch.chdir(tmp_path)
    for options in ({"model": "convnet-tiny"}, {"recipe": "plain"}):
        list(train(configure(**{**options, **QUICK}), output="model.pt"))
        built = models.build(read_metadata(Path("model.pt")).network.name)
        assert isinstance(models.head_of(built)[1], nn.Linear)
        exported = export(Path("model.pt"), Path("model.onnx"), verify=20)
        test = open_source("sample:200").read("test")
        assert load(exported.path)(test.images[:5]).shape == (5, 10)
