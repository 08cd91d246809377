"""`fmnist predict` as users and scripts meet it."""

import csv
import json
import subprocess
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fmnist_cli.constants import CLASS_NAMES
from fmnist_cli.data.images import Images
from tests.cli.conftest import Program, start
from tests.cli.schemas import parse


def drawn(seed: int) -> Images:
    """A bright patch on black, another one for each seed."""
    pixels = np.zeros((28, 28), np.uint8)
    pixels[4:24, 6:22] = np.random.default_rng(seed).integers(60, 256, (20, 16), np.uint8)
    return pixels


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three pictures, of which one lies deeper."""
    (tmp_path / "in" / "b").mkdir(parents=True)
    for seed, name in enumerate(("a.png", "b/[red]x.png", "c.png")):
        Image.fromarray(drawn(seed)).save(tmp_path / "in" / name)
    return tmp_path / "in"


def test_json_lines_in_a_pipe(fmnist: Program, trained_model: Path, folder: Path) -> None:
    done = fmnist("predict", "-q", trained_model, folder)
    assert done.stderr == ""
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    names = ["a.png", "b/[red]x.png", "c.png"]
    assert [line["input"] for line in lines] == [str(folder / name) for name in names]
    for line in lines:
        assert line.keys() == {"input", "label", "class", "probability", "top", "photo"}
        assert line["class"] == CLASS_NAMES[line["label"]]
        assert line["top"][0] == {key: line[key] for key in ("label", "class", "probability")}
        probabilities = [one["probability"] for one in line["top"]]
        assert len(probabilities) == 3
        assert probabilities == sorted(probabilities, reverse=True)


def test_json_is_one_document_with_the_same_answers(
    fmnist: Program, trained_model: Path, folder: Path
) -> None:
    lines = fmnist("predict", trained_model, folder, "--format", "jsonl").stdout.splitlines()
    document = fmnist.json("predict", trained_model, folder)
    assert document == [json.loads(line) for line in lines]
    assert fmnist.json("predict", trained_model, "-") == []


def test_csv_has_a_column_for_each_of_the_best(
    fmnist: Program, trained_model: Path, folder: Path
) -> None:
    (folder / "broken.png").write_bytes(b"no picture")
    done = fmnist("predict", trained_model, folder, "--format", "csv", "--top-k", "2", code=65)
    rows = list(csv.DictReader(StringIO(done.stdout)))
    assert [row["class"] in CLASS_NAMES for row in rows] == [True, True, False, True]
    assert float(rows[0]["probability"]) >= float(rows[0]["probability_2"])
    assert "not an image file" in rows[2]["error"]


def test_a_table_shows_names_literally(fmnist: Program, trained_model: Path, folder: Path) -> None:
    done = fmnist("predict", trained_model, folder, "--format", "table", "--top-k", "1")
    header, *rows = done.stdout.splitlines()
    assert header.split() == ["class", "prob.", "input"]
    assert rows[1].split()[-1] == str(folder / "b" / "[red]x.png")
    assert not any(line.endswith(" ") for line in done.stdout.splitlines())
    assert "\x1b" not in done.stdout


def test_a_broken_input_does_not_stop_the_rest(
    fmnist: Program, trained_model: Path, folder: Path
) -> None:
    (folder / "b" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(50))
    gone = folder / "gone.png"
    done = fmnist("predict", "-q", trained_model, "-", stdin=f"{folder}\n{gone}\n", code=65)
    lines = [parse(line, "predict") for line in done.stdout.splitlines()]
    assert ["error" in line for line in lines] == [False, False, True, False, True]
    assert lines[4] == {"input": str(gone), "error": f"no file at '{gone}'"}
    assert done.stderr == "error: 2 of 5 inputs could not be read\n"


def test_one_picture_from_stdin(fmnist: Program, trained_model: Path, folder: Path) -> None:
    content = (folder / "a.png").read_bytes()
    piped = fmnist("predict", trained_model, "--stdin-image", "-", stdin=content)
    named = fmnist("predict", trained_model, folder / "a.png")
    assert json.loads(piped.stdout) == {**json.loads(named.stdout), "input": "-"}


def test_bytes_instead_of_paths_are_bad_data(
    fmnist: Program, trained_model: Path, folder: Path
) -> None:
    done = fmnist("predict", trained_model, "-", stdin=(folder / "a.png").read_bytes(), code=65)
    assert "--stdin-image" in done.stderr


def test_verbose_says_what_was_prepared_and_show_input_writes_it(
    fmnist: Program, trained_model: Path, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    photo = np.full((300, 200, 3), 250, np.uint8)
    photo[60:240, 50:150] = (120, 30, 30)
    Image.fromarray(photo).save(tmp_path / "in" / "photo.jpg")
    Image.fromarray(drawn(0)).save(tmp_path / "in" / "small.png")
    seen = tmp_path / "seen"
    done = fmnist("predict", "-v", trained_model, tmp_path / "in", "--show-input", seen)
    assert "photo.jpg: prepared as a photo" in done.stderr
    assert "small.png: taken as it is" in done.stderr
    names = ["000000-photo-steps.png", "000000-photo.png", "000001-small.png"]
    assert sorted(path.name for path in seen.iterdir()) == names
    np.testing.assert_array_equal(np.asarray(Image.open(seen / "000001-small.png")), drawn(0))
    assert np.asarray(Image.open(seen / "000000-photo.png"))[14, 14] > 150


def test_a_closed_pipe_is_silent(trained_model: Path, folder: Path, tmp_path: Path) -> None:
    many = "\n".join([str(folder / "a.png")] * 3_000)
    (tmp_path / "list.txt").write_text(many)
    with (tmp_path / "list.txt").open("rb") as paths:
        running = start("predict", "-q", trained_model, "-", stdin=paths)
    assert running.stdout is not None
    assert running.stderr is not None
    running.stdout.readline()
    running.stdout.close()
    assert running.wait(60) == 141
    assert running.stderr.read() == ""
    running.stderr.close()


def test_a_slow_producer_sees_each_answer_before_it_goes_on(
    trained_model: Path, folder: Path
) -> None:
    running = start("predict", "-q", trained_model, "-", stdin=subprocess.PIPE)
    assert running.stdin is not None
    assert running.stdout is not None
    for name in ("a.png", "c.png", "gone.png"):
        running.stdin.write(f"{folder / name}\n")
        running.stdin.flush()
        assert json.loads(running.stdout.readline())["input"] == str(folder / name)
    running.communicate(timeout=60)
    assert running.returncode == 65


def test_a_model_trained_without_photos_says_so_if_it_gets_one(
    fmnist: Program, trained_model: Path, folder: Path
) -> None:
    photo = Path(__file__).parents[1] / "photos" / "garments" / "sneaker.jpg"
    note = f"{trained_model} was trained without photos"
    assert note in fmnist("predict", trained_model, photo).stderr
    assert note not in fmnist("predict", trained_model, folder).stderr
    assert fmnist("predict", "-q", trained_model, photo).stderr == ""
    assert fmnist("predict", "pretrained", photo).stderr == ""
