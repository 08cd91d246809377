import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fmnist_cli.constants import CLASS_NAMES
from fmnist_cli.errors import UsageError
from fmnist_cli.evaluation.confusion import draw_confusion, picture_format

MATRIX = np.diag(np.arange(1_001, 1_011)).astype(np.int64)


def test_png() -> None:
    with Image.open(io.BytesIO(draw_confusion(MATRIX, "png"))) as picture:
        assert picture.format == "PNG"
        assert min(picture.size) > 600


def test_svg_names_the_classes() -> None:
    first = draw_confusion(MATRIX, "svg")
    assert first.startswith(b"<?xml")
    for name in CLASS_NAMES:
        assert f"<!-- {name} -->".encode() in first


@pytest.mark.parametrize(("name", "expected"), [("a.png", "png"), ("b.SVG", "svg")])
def test_format_goes_by_the_name(name: str, expected: str) -> None:
    assert picture_format(Path(name)) == expected


@pytest.mark.parametrize("name", ["a.jpg", "a", "png"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="the formats of a confusion matrix"):
        picture_format(Path(name))
