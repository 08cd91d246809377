"""Class names are drawn in a font that has their characters."""

import logging
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib import font_manager

from fmnist_cli.evaluation.fonts import find_font
from fmnist_cli.evaluation.grid import draw_grid
from fmnist_cli.evaluation.samples import Sample

FONTS = Path(matplotlib.get_data_path()) / "fonts/ttf"
IN_STIX_ALONE = "\ue12e"
"""A character for private use."""


@pytest.fixture
def only_dejavu(monkeypatch: pytest.MonkeyPatch) -> None:
    """matplotlib's list holds DejaVu Sans and its font of boxes, and the system no other font."""
    listed = [font_manager.fontManager.ttflist[0]]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", listed)
    monkeypatch.setattr(font_manager, "findSystemFonts", list)
    listed.clear()
    for path in FONTS.glob("DejaVuSans*.ttf"):
        font_manager.fontManager.addfont(path)
    for path in FONTS.glob("LastResort*.ttf"):
        font_manager.fontManager.addfont(path)


@pytest.mark.usefixtures("only_dejavu")
def test_the_regular_form_of_a_font_with_the_characters_is_found(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert Path(find_font("Ω ä").fname).name == "DejaVuSans.ttf"
    new = str(FONTS / "STIXNonUni.ttf")
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: [new])
    assert find_font(IN_STIX_ALONE).fname == new
    assert not caplog.records


@pytest.mark.usefixtures("only_dejavu")
def test_a_missing_font_is_named(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "fmnist_cli")
    assert find_font("运动鞋 a运").name == "DejaVu Sans"
    (message,) = caplog.messages
    assert "boxes: 运动鞋;" in message
    assert "Noto Sans CJK" in message


def test_a_grid_draws_other_than_english_names() -> None:
    image = np.zeros((28, 28), np.uint8)
    drawn = {draw_grid([Sample(image, 0, 0, (name, "b"))]) for name in "ЖЮΩΨ"}
    assert len(drawn) == 4, "no boxes"
