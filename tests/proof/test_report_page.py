"""The report page as a browser shows it: nothing is requested, nothing is cut off."""

import html
import json
import re
import shutil
import subprocess
from collections.abc import Callable
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

pytestmark = pytest.mark.proof

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    # Nothing is resolved, so that the browser's own errands end here too.
    "--host-resolver-rules=MAP * ~NOTFOUND",
    *("--hide-scrollbars", "--enable-logging=stderr", "--virtual-time-budget=5000"),
)
DARK = "--blink-settings=preferredColorScheme=0"
PROBE = """<!doctype html><meta charset="utf-8"><meta name="color-scheme" content="light dark">
<iframe style="width:{width}px;height:900px;border:0" srcdoc="{page}"></iframe>
<script>
addEventListener("load", () => {{
  const page = document.querySelector("iframe").contentDocument;
  const seen = {{
    width: page.documentElement.scrollWidth,
    pictures: [...page.images].map((image) => image.complete && image.naturalWidth),
    plots: [...page.querySelectorAll("figure svg")].map((plot) => plot.getBoundingClientRect())
      .map(({{left, right}}) => [left, right]),
    paper: getComputedStyle(page.body).backgroundColor,
    ink: getComputedStyle(page.body).color,
  }};
  document.body.textContent = "probe " + JSON.stringify(seen) + " end";
}});
</script>"""

Browser = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Browser:
    """Open a file in headless Chromium with a fresh profile."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("no chromium on this machine")

    def run(path: Path, *flags: str) -> subprocess.CompletedProcess[str]:
        profile = tmp_path_factory.mktemp("profile")
        command = [program, *FLAGS, f"--user-data-dir={profile}", *flags, path.as_uri()]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)

    return run


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


def requested(browser: Browser, path: Path, log: Path) -> tuple[set[str], list[str]]:
    """What a page asks the network for, and what it tells the console."""
    done = browser(path, f"--log-net-log={log}", f"--screenshot={log.with_suffix('.png')}")
    events = json.loads(log.read_text(encoding="utf-8"))["events"]
    asked = (event.get("params", {}) for event in events)
    # The browser's own errands are not made on behalf of a file.
    urls = {one["url"] for one in asked if "file:" in one.get("network_isolation_key", "")}
    told = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return {url for url in urls if url.startswith(("http:", "https:", "ws:", "wss:"))}, told


def test_no_request_and_no_word_on_the_console(
    browser: Browser, page: Path, tmp_path: Path
) -> None:
    urls, told = requested(browser, page, tmp_path / "net.json")
    assert not urls
    assert not told


def test_a_request_and_a_fault_would_be_noticed(browser: Browser, tmp_path: Path) -> None:
    faulty = tmp_path / "faulty.html"
    faulty.write_text('<img src="http://127.0.0.1:9/x.png"><script>throw Error("fault")</script>')
    urls, told = requested(browser, faulty, tmp_path / "net.json")
    assert urls == {"http://127.0.0.1:9/x.png"}
    assert "fault" in told[0]


@pytest.mark.parametrize("width", [1200, 820, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_is_shown_at_any_width_light_and_dark(
    browser: Browser, page: Path, tmp_path: Path, width: int, scheme: str
) -> None:
    probe = tmp_path / "probe.html"
    content = html.escape(page.read_text(encoding="utf-8"))
    probe.write_text(PROBE.format(width=width, page=content), encoding="utf-8")
    flags = (DARK,) if scheme == "dark" else ()
    dom = browser(probe, "--window-size=1400,1000", *flags, "--dump-dom").stdout
    found = re.search(r"probe (\{.*\}) end", dom)
    assert found
    seen: dict[str, Any] = json.loads(html.unescape(found[1]))
    assert seen["width"] <= width
    assert seen["pictures"] == [28] * (WORST_ERRORS + MOST_AMBIGUOUS)
    assert len(seen["plots"]) == len(PANELS) + 1
    for left, right in seen["plots"]:  # nothing has to be scrolled to be seen
        assert 0 <= left < right - 230
        assert right <= width
    paper, ink = (sum(map(int, re.findall(r"\d+", seen[name]))) for name in ("paper", "ink"))
    assert (paper > ink) == (scheme == "light")
    assert abs(paper - ink) > 400


def test_it_prints(browser: Browser, page: Path, tmp_path: Path) -> None:
    browser(page, f"--print-to-pdf={tmp_path / 'page.pdf'}")
    assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")
