"""The page of `fmnist serve` as a browser shows it: files chosen and dropped, nothing cut off."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.proof.chromium import Tab
from tests.serve.serving import Server, serving

pytestmark = pytest.mark.proof

GARMENTS = Path(__file__).parents[1] / "photos" / "garments"
NAMES = ("dress-red.jpg", "sneaker.jpg", "coat-carpet.jpg", "shirt-plaid.jpg")
REFUSED = "status of 422"
"""What the browser itself reports about the answer to a broken picture."""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving("pretrained") as running:
        yield running


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    """Five files; the third is broken and has a hostile name."""
    broken = tmp_path / "<img src=x onerror=alert(1)>.png"
    broken.write_bytes(b"\x89PNG broken")
    files = [GARMENTS / name for name in NAMES]
    return [*files[:2], broken, *files[2:]]


def assert_clean(tab: Tab, server: Server) -> None:
    """No complaint but of the broken picture, and no request to another address."""
    assert not [one for one in tab.complaints() if REFUSED not in one]
    own = f"http://127.0.0.1:{server.port}/"
    addresses = [url for url in tab.requests() if not url.startswith(("data:", f"blob:{own}"))]
    assert addresses
    assert all(url.startswith(own) for url in addresses)


@pytest.mark.parametrize("way", ["choose", "drop"])
@pytest.mark.parametrize("width", [1100, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_five_pictures_at_once(
    tab: Tab, server: Server, pictures: list[Path], way: str, width: int, scheme: str
) -> None:
    tab.look(width, scheme=scheme)
    tab.open(f"http://127.0.0.1:{server.port}/")
    tab.wait_for("document.querySelectorAll('.examples button').length === 10")
    if way == "choose":
        tab.choose("#choose", pictures)
    else:
        tab.drop(200, 250, pictures)
    tab.wait_for("document.querySelectorAll('.card:not(.waiting)').length === 5")
    tab.wait_for("[...document.images].every((image) => image.complete)")
    names = tab.run("[...document.querySelectorAll('.card .name')].map((one) => one.textContent)")
    assert names == [path.name for path in pictures]
    failed = tab.run("[...document.querySelectorAll('.card')].map((one) => one.matches('.failed'))")
    assert failed == [False, False, True, False, False]
    seen = (
        "[...document.querySelectorAll('.seen:not([hidden]) img')].map((one) => one.naturalWidth)"
    )
    assert tab.run(seen) == [28] * 4
    assert tab.run("document.documentElement.scrollWidth") <= width
    assert tab.run("document.querySelector('#status').textContent")
    paper, ink = tab.colors()
    assert (paper > ink) == (scheme == "light")
    assert_clean(tab, server)


def test_an_example_by_keyboard(tab: Tab, server: Server) -> None:
    tab.look(1100)
    tab.open(f"http://127.0.0.1:{server.port}/")
    tab.wait_for("document.querySelectorAll('.examples button').length === 10")
    tab.run("document.querySelector('.examples button').focus()")
    for kind in ("keyDown", "keyUp"):
        tab("Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter", text="\r")
    tab.wait_for("document.querySelector('.card .best')?.textContent === 'Ankle boot'")
    assert "Ankle boot, 9" in tab.run("document.querySelector('#status').textContent")
    tab.run("document.querySelector('#clear').click()")
    assert tab.run("document.activeElement.id") == "choose"
    assert tab.run("document.querySelectorAll('.card').length") == 0
    assert_clean(tab, server)


def test_every_control_and_picture_has_a_name(tab: Tab, server: Server) -> None:
    tab.look(390)
    tab.open(f"http://127.0.0.1:{server.port}/")
    tab.wait_for("document.querySelectorAll('.examples button').length === 10")
    tab("Accessibility.enable")
    nodes = tab("Accessibility.getFullAXTree")["nodes"]
    named = [
        node["name"]["value"]
        for node in nodes
        if not node["ignored"] and node["role"]["value"] in ("button", "image", "link")
    ]
    assert len(named) >= 13
    assert all(named)


def test_chinese(tab: Tab, server: Server) -> None:
    tab.look(390, language="zh-CN")
    tab.open(f"http://127.0.0.1:{server.port}/")
    tab.wait_for("document.querySelector('h1').textContent === '这是什么衣物？'")
    assert tab.run("document.documentElement.lang") == "zh-CN"


def test_the_list_of_endpoints(tab: Tab, server: Server) -> None:
    tab.look(1100)
    tab.open(f"http://127.0.0.1:{server.port}/docs")
    tab.wait_for("document.querySelectorAll('.operation').length === 4")
    assert_clean(tab, server)
