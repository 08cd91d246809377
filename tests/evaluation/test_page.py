import base64
import io
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fmnist_cli.checkpoints.metadata import Metrics
from fmnist_cli.constants import CLASS_NAMES
from fmnist_cli.data.images import LabeledImages
from fmnist_cli.data.pictures import decode
from fmnist_cli.errors import DataError, UsageError
from fmnist_cli.evaluation.evaluation import Evaluation
from fmnist_cli.evaluation.figures import confusion_format, draw_confusion
from fmnist_cli.evaluation.page import MOST_AMBIGUOUS, WORST_ERRORS, find_history, render_page
from fmnist_cli.evaluation.scores import score
from fmnist_cli.training.curves import PANELS
from fmnist_cli.training.run_directory import HISTORY_COLUMNS, RunDirectory
from tests.evaluation.evaluated_models import answers
from tests.written_models import metadata

HOSTILE = "<script>alert('&')</script><img src=http://example.org/x onerror=alert(1)>"


def evaluation(folder: Path, n: int = 400, **changes: object) -> Evaluation:
    """An evaluation of random images and predictions."""
    labels, probabilities = answers(n)
    images = np.random.default_rng(0).integers(0, 256, (n, 28, 28), dtype=np.uint8)
    values = {
        "model": folder / "model.pt",
        "metadata": metadata(),
        "data": "somewhere",
        "is_sample": False,
        "split": "test",
        "tta": False,
        "images": LabeledImages(images, labels),
        "probabilities": probabilities,
        "scores": score(labels, probabilities, CLASS_NAMES),
        "seen_in_training": 0,
    }
    return Evaluation(**{**values, **changes})  # type: ignore[arg-type]


class Elements(HTMLParser):
    """The tags of a page with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attributes)))


def test_nothing_is_loaded_from_elsewhere(tmp_path: Path) -> None:
    page = render_page(evaluation(tmp_path))
    for tag, attributes in Elements(page).found:
        assert tag not in {"script", "iframe", "object"}
        for name in ("src", "href", "xlink:href"):
            assert (attributes.get(name) or "data:").startswith(("data:", "#"))
    assert not re.search(r"url\((?!#)", page)
    assert "@import" not in page


def test_hostile_names_are_text(tmp_path: Path) -> None:
    hostile = evaluation(
        tmp_path,
        model=tmp_path / HOSTILE.replace("/", "_"),
        data=HOSTILE,
        metadata=replace(metadata(), recipe=HOSTILE, config={HOSTILE: HOSTILE}),
    )
    page = render_page(hostile)
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    tags = Elements(page).found
    harmless = Elements(
        render_page(evaluation(tmp_path, metadata=replace(metadata(), config={"c": "c"})))
    )
    assert [tag for tag, _ in tags] == [tag for tag, _ in harmless.found]


def test_worst_errors_are_those_whose_class_got_the_least(tmp_path: Path) -> None:
    evaluated = evaluation(tmp_path)
    pictures = [
        attributes["src"]
        for tag, attributes in Elements(render_page(evaluated)).found
        if tag == "img"
    ]
    assert len(pictures) == WORST_ERRORS + MOST_AMBIGUOUS
    labels, probabilities = evaluated.images.labels, evaluated.probabilities
    given = probabilities[np.arange(len(labels)), labels]
    wrong = probabilities.argmax(axis=1) != labels
    worst = int(np.flatnonzero(wrong)[given[wrong].argmin()])
    assert pictures[0] is not None
    with Image.open(io.BytesIO(base64.b64decode(pictures[0].partition(",")[2]))) as picture:
        np.testing.assert_array_equal(np.asarray(picture), evaluated.images.images[worst])


def test_a_model_without_mistakes_has_a_page_too(tmp_path: Path) -> None:
    labels = np.arange(10)
    probabilities = np.eye(10, dtype=np.float32)
    perfect = evaluation(
        tmp_path,
        images=LabeledImages(np.zeros((10, 28, 28), np.uint8), labels),
        probabilities=probabilities,
        scores=score(labels, probabilities, CLASS_NAMES),
        metadata=None,
    )
    page = render_page(perfect)
    assert "Worst errors" not in page
    assert "100.00%" in page
    assert "The model file does not record it." in page


def test_warnings_about_the_scores(tmp_path: Path) -> None:
    page = render_page(evaluation(tmp_path, is_sample=True, seen_in_training=123))
    assert "come from the sample in the package" in page
    assert "was trained on 123 of these 400 images" in page
    assert "is unknown" in render_page(evaluation(tmp_path, seen_in_training=None))


def test_learning_curves_are_shown_if_the_run_directory_is_found(tmp_path: Path) -> None:
    assert "Learning curves" not in render_page(evaluation(tmp_path))
    row = dict.fromkeys(HISTORY_COLUMNS, 0.5) | {"epoch": 1, "val_loss": 1.0}
    RunDirectory(tmp_path).write_history([row])
    page = render_page(evaluation(tmp_path))
    assert "Learning curves" in page
    names = re.findall(r'\bid="([^"]+)"', page)
    assert len(set(names)) == len(names) > 0
    for title in PANELS:
        assert f'aria-label="Learning curve: {title}"' in page


def test_the_training_of_the_model_is_described(tmp_path: Path) -> None:
    page = render_page(evaluation(tmp_path))
    assert "network tutorial, recipe tutorial, parameters 582,026" in page
    for name in ("config", "versions", "created at"):
        assert f"<dt>{name}</dt>" in page
    unknown = render_page(evaluation(tmp_path, metadata=None))
    assert "network" not in unknown.partition("</header>")[0].partition("<header>")[2]


def test_it_holds_every_class_and_count_and_is_the_same_each_time(tmp_path: Path) -> None:
    evaluated = evaluation(tmp_path)
    page = render_page(evaluated)
    assert page == render_page(evaluation(tmp_path))
    for name in CLASS_NAMES:
        assert page.count(name) >= 3
    cells = re.findall(r'class="(?:strong|none|)(?: miss)?" title="[^"]*">(\d+)</td>', page)
    assert list(map(int, cells)) == evaluated.scores.confusion_matrix.ravel().tolist()


ROWS = [
    dict.fromkeys(HISTORY_COLUMNS, 0.5) | {"epoch": 1, "val_loss": 0.9, "val_accuracy": 0.7},
    dict.fromkeys(HISTORY_COLUMNS, 0.4) | {"epoch": 2, "val_loss": 0.8, "val_accuracy": 0.8},
]
METADATA = replace(metadata(), metrics=Metrics(0.8, 0.8, 2, 2, 1.0))


def test_history_is_found_beside_the_model_and_in_the_recorded_directory(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    RunDirectory(run).write_history(ROWS)
    assert find_history(run / "last.pt", METADATA) == ROWS
    elsewhere = tmp_path / "model.pt"
    assert find_history(elsewhere, METADATA) == []
    assert find_history(elsewhere, replace(METADATA, run_dir=str(run))) == ROWS


@pytest.mark.parametrize("metrics", [None, Metrics(0.7, 0.8, 2, 2, 1.0)])
def test_another_history_is_ignored(tmp_path: Path, metrics: Metrics | None) -> None:
    RunDirectory(tmp_path).write_history(ROWS)
    assert find_history(tmp_path / "model.pt", replace(METADATA, metrics=metrics)) == []
    (tmp_path / "history.csv").write_text("date,price\n1,2\n")
    assert find_history(tmp_path / "model.pt", METADATA) == []


@pytest.mark.parametrize("damage", ["zero", "inf", "0.9,"])
def test_a_damaged_history_is_an_error(tmp_path: Path, damage: str) -> None:
    RunDirectory(tmp_path).write_history(ROWS)
    path = tmp_path / "history.csv"
    path.write_text(path.read_text().replace("0.9", damage))
    with pytest.raises(DataError, match="not the history of a run"):
        find_history(tmp_path / "model.pt", METADATA)


@pytest.mark.parametrize("run_dir", ["gone", "a\0b", "a" * 5_000, "", None])
def test_an_unusable_run_directory_is_ignored(tmp_path: Path, run_dir: str | None) -> None:
    assert find_history(tmp_path / "model.pt", replace(METADATA, run_dir=run_dir)) == []


def test_the_confusion_matrix_is_a_png_or_svg_with_class_names(tmp_path: Path) -> None:
    scores = evaluation(tmp_path).scores
    with Image.open(io.BytesIO(draw_confusion(scores, Path("a.png")))) as picture:
        assert picture.format == "PNG"
        assert min(picture.size) > 600
    svg = draw_confusion(scores, Path("b.SVG"))
    assert svg.startswith(b"<?xml")
    assert svg == draw_confusion(scores, Path("b.SVG"))
    for name in CLASS_NAMES:
        assert f"<!-- {name} -->".encode() in svg
    for other in ("a.jpg", "a", "png"):
        with pytest.raises(UsageError, match=r"written as \.png or \.svg"):
            confusion_format(Path(other))


def test_a_photo_is_shown_with_its_garment(tmp_path: Path) -> None:
    """Beside each other: the photo, what was found in it, what the network saw."""
    garments = sorted((Path(__file__).parents[1] / "photos" / "garments").glob("*.jpg"))[:3]
    image = np.zeros((28, 28), np.uint8)
    image[4:-4, 4:-4] = 200
    plain = tmp_path / "plain.png"
    Image.fromarray(image).save(plain)
    paths = (*garments, plain)
    images = np.stack([*(decode(path).pixels for path in garments), image])
    labels = np.array([0, 1, 2, 3])
    wrong = np.full((4, 10), 0.01, np.float32)
    wrong[:, 9] = 0.91
    page = render_page(
        evaluation(
            tmp_path,
            images=LabeledImages(images, labels, paths=paths),
            probabilities=wrong,
            scores=score(labels, wrong, CLASS_NAMES),
        )
    )
    worst = page.partition("Worst errors")[2].partition("<h2>")[0]
    strips = re.findall(r'class="steps" src="data:image/jpeg;base64,([^"]+)"', worst)
    assert len(strips) == 3
    for strip in strips:
        with Image.open(io.BytesIO(base64.b64decode(strip))) as picture:
            assert picture.height == 224
            assert picture.width > 2 * 100 + 224
    for path in paths:
        assert path.name in worst
