from benchmarks.peers.__main__ import CONTESTANTS
from benchmarks.peers.environment import Installed
from benchmarks.peers.measuring import Measurement, Result
from benchmarks.peers.page import render

RESULT = Result(
    Measurement(123.4, 6.78, 500.0, 0.8765, 234),
    Measurement(20.0, 4.0, 6_000.0, 0.83, 234),
    Installed("9.8.7", "AGPL-3.0", 21, 300_000_000),
    "2026-11-24",
)
STOPPED = Result(
    Measurement(60.0, 6.78, 25.0, None, 80), RESULT.baseline, RESULT.installed, "2026-11-25"
)


def test_page_shows_every_figure() -> None:
    page = render({CONTESTANTS["yolo"]: RESULT, CONTESTANTS["yolo-224"]: STOPPED}, 1_234)
    (row,) = (
        line for line in page.splitlines() if line.startswith(f"| {CONTESTANTS['yolo'].title}")
    )
    figures = (
        "| 1 |",
        "| 500 |",
        "6,000, 12×",
        "6.8 s",
        "123 s",
        "87.65%",
        "1 command",
        "300 MB, 21",
    )
    assert [figure for figure in figures if figure not in row] == []
    assert "80 steps" in page
    assert "ultralytics 9.8.7, AGPL-3.0" in page
    assert "1,234 sets" in page
    assert "2026-11-24 to 2026-11-25" in page


def test_page_names_programs_from_the_root_of_the_repository() -> None:
    page = render({CONTESTANTS["timm"]: RESULT}, 1)
    assert "`python benchmarks/peers/programs/timm_resnet18.py DATA 1`" in page
