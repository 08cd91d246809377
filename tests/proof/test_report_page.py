"""The report page as a browser shows it: nothing is requested, nothing is cut off."""

import base64
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fmnist_cli.checkpoints.metadata import Metrics
from fmnist_cli.data.sources import open_source
from fmnist_cli.evaluation.evaluation import evaluate
from fmnist_cli.evaluation.page import MOST_AMBIGUOUS, WORST_ERRORS, render_page
from fmnist_cli.training.curves import PANELS
from fmnist_cli.training.run_directory import HISTORY_COLUMNS, RunDirectory
from tests.evaluation.evaluated_models import trained_on
from tests.proof.chromium import Tab

pytestmark = pytest.mark.proof

SEEN = """(() => {
  const plots = [...document.querySelectorAll("figure svg")];
  return {
    width: document.documentElement.scrollWidth,
    pictures: [...document.images].map((image) => image.complete && image.naturalWidth),
    plots: plots.map((plot) => plot.getBoundingClientRect()).map(({left, right}) => [left, right]),
  };
})()"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a model with random weights, with learning curves."""
    folder = tmp_path_factory.mktemp("page")
    model = trained_on(folder / "model.pt", "sample:200")
    rows = [
        dict.fromkeys(HISTORY_COLUMNS, 1 / epoch) | {"epoch": epoch, "val_loss": 1.0}
        for epoch in (1, 2, 3)
    ]
    assert model.metadata is not None
    metrics = Metrics(rows[0]["val_accuracy"], 1.0, 1, 3, 1.0)
    model.metadata = replace(model.metadata, metrics=metrics)
    RunDirectory(folder).write_history(rows)
    path = folder / "report.html"
    path.write_text(render_page(evaluate(model, open_source("sample:200"))), encoding="utf-8")
    return path


def requested(tab: Tab, page: Path) -> list[str]:
    """What a page asks the network for."""
    tab.open(page.as_uri())
    return [url for url in tab.requests() if not url.startswith(("file:", "data:", "about:"))]


def test_no_request_and_no_word_on_the_console(tab: Tab, page: Path) -> None:
    assert not requested(tab, page)
    assert not tab.complaints()


def test_a_request_and_a_fault_would_be_noticed(tab: Tab, tmp_path: Path) -> None:
    faulty = tmp_path / "faulty.html"
    faulty.write_text('<img src="http://127.0.0.1:9/x.png"><script>throw Error("fault")</script>')
    assert requested(tab, faulty) == ["http://127.0.0.1:9/x.png"]
    assert any("fault" in one for one in tab.complaints())


@pytest.mark.parametrize("width", [1200, 820, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_is_shown_at_any_width_light_and_dark(
    tab: Tab, page: Path, width: int, scheme: str
) -> None:
    tab.look(width, scheme=scheme)
    tab.open(page.as_uri())
    seen: dict[str, Any] = tab.run(SEEN)
    assert seen["width"] <= width
    assert seen["pictures"] == [28] * (WORST_ERRORS + MOST_AMBIGUOUS)
    assert len(seen["plots"]) == len(PANELS) + 1
    for left, right in seen["plots"]:  # nothing has to be scrolled to be seen
        assert 0 <= left < right - 230
        assert right <= width
    paper, ink = tab.colors()
    assert (paper > ink) == (scheme == "light")
    assert abs(paper - ink) > 400


def test_it_prints(tab: Tab, page: Path) -> None:
    tab.open(page.as_uri())
    assert base64.b64decode(tab("Page.printToPDF")["data"]).startswith(b"%PDF")
