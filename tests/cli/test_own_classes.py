"""Classes that come from the data: two of them, twenty-six, or three hundred, at every command."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fmnist_cli.data import sample
from tests.cli.conftest import Program

TRAIN = (
    *("--recipe", "fast", "--epochs", "4", "--lr", "0.1", "--batch-size", "32"),
    *("--device", "cpu", "--threads", "1", "--run-dir", "run"),
)


def write_pictures(directory: Path, names: Sequence[str], each: int, seed: int = 0) -> Path:
    """A subdirectory of noisy copies of one garment per name."""
    random = np.random.default_rng(seed)
    garments = sample.read("train").images
    for name, garment in zip(names, garments, strict=False):
        (directory / name).mkdir(parents=True)
        for number in range(each):
            noise = random.normal(0, 12, garment.shape) * (garment > 0)
            pixels = (garment + noise).clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(directory / name / f"{number}.png")
    return directory


@pytest.mark.parametrize(
    "names",
    [
        ("t-shirt", "pants", "hat"),
        pytest.param(("cat", "dog"), marks=pytest.mark.proof),
        pytest.param(tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), marks=pytest.mark.proof),
        pytest.param(tuple(f"thing {number:03}" for number in range(300)), marks=pytest.mark.proof),
    ],
    ids=lambda names: str(len(names)),
)
def test_any_number_of_classes_goes_through_every_command(
    fmnist: Program, tmp_path: Path, names: tuple[str, ...]
) -> None:
    def run(*arguments: str) -> str:
        return fmnist(*arguments).stdout

    def document(*arguments: str) -> Any:
        return fmnist.json(*arguments)

    data = tmp_path / "data"
    write_pictures(data / "train", names, each=max(6, 200 // len(names)))
    write_pictures(data / "test", names, each=2, seed=1)
    run("train", "-q", "--data", "data", *TRAIN)
    assert document("info", "model.pt")["classes"] == sorted(names)
    first = min(names)
    scores = document(
        *("evaluate", "model.pt", "--min", f"recall[{first}]=0"),
        *("--report", "page.html", "--confusion", "matrix.png", "--predictions", "all.csv"),
    )
    assert np.shape(scores["confusion_matrix"]) == (len(names), len(names))
    assert set(names) <= set(scores["report"])
    assert scores["accuracy"] > 0.5
    assert first in (tmp_path / "page.html").read_text()
    assert Image.open(tmp_path / "matrix.png").width > 500
    assert (tmp_path / "all.csv").read_text().count("\n") == scores["n"] + 1
    assert run("export-onnx", "model.pt") == "model.onnx\n"
    assert run("export-onnx", "model.pt", "--quantize", "int8", "-o", "int8.onnx") == "int8.onnx\n"
    assert document("compare", "model.pt", "int8.onnx")["n"] == scores["n"]
    lines = run("predict", "model.onnx", f"data/test/{first}", "--top-k", "1000").splitlines()
    answers = [json.loads(line) for line in lines]
    assert len(answers) == 2
    for answer in answers:
        assert len(answer["top"]) == len(names)
        assert sum(each["probability"] for each in answer["top"]) == pytest.approx(1, abs=1e-3)
        assert sorted(names)[answer["label"]] == answer["class"]
    table = run("predict", "model.pt", f"data/test/{first}", "--format", "table")
    assert any(name in table for name in names)
    shown = document("show", "--data", "data", "-o", "grid.png")
    assert {each["class"] for each in shown["samples"]} <= set(names)
    assert list(document("info", "data")["splits"]["train"]["counts"]) == sorted(names)


def write_letters(path: Path, first_label: int) -> Path:
    """An archive like EMNIST's letters: 26 classes."""
    images = np.repeat(sample.read("train").images[:26], 4, axis=0)
    labels = np.repeat(np.arange(26) + first_label, 4)
    np.savez(path, x_train=images, y_train=labels, x_test=images, y_test=labels)
    return path


def test_arrays_get_their_names_from_an_option(fmnist: Program, tmp_path: Path) -> None:
    write_letters(tmp_path / "letters.npz", 0)
    (tmp_path / "names.txt").write_text("\n".join("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    fmnist("train", "-q", "--data", "letters.npz", "--classes", "names.txt", *TRAIN)
    scores = fmnist.json("evaluate", "model.pt")
    assert list(scores["report"])[:3] == ["A", "B", "C"]


def test_labels_that_are_no_classes_get_an_answer(fmnist: Program, tmp_path: Path) -> None:
    letters = ",".join("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    write_letters(tmp_path / "from-1.npz", 1)
    unnamed = fmnist("train", "--data", "from-1.npz", code=65)
    assert "labels run from 1 to 26; expected" in unnamed.stderr
    assert "--classes NAME,…" in unnamed.stderr
    from_one = fmnist("train", "--data", "from-1.npz", "--classes", letters, code=65)
    assert "labels count from 0" in from_one.stderr
    assert "--classes none,A,…" in from_one.stderr
    named = fmnist.json("info", "from-1.npz", "--classes", f"none,{letters}")
    assert named["splits"]["train"]["counts"]["Z"] == 4


def test_data_of_other_classes_names_the_difference(fmnist: Program, tmp_path: Path) -> None:
    write_pictures(tmp_path / "pets", ["cat", "dog"], each=6)
    write_pictures(tmp_path / "more", ["cat", "cow", "dog"], each=3)
    fmnist("train", "-q", "--data", "pets", *TRAIN, "-b", "8")
    for data in ("more", "sample"):
        other = fmnist("evaluate", "model.pt", "--data", data, code=65)
        assert "the model has no class " + ("cow" if data == "more" else "T-shirt") in other.stderr
    named = ("--data", "pets", "--classes", "cat,cow")
    for command in (("train", *named), ("train", *named, "--data", "more"), ("show", *named)):
        wrong = fmnist(*command, cwd=tmp_path, code=65)
        assert "'pets': --classes has no class dog; its classes: cat, cow" in wrong.stderr
    part = write_pictures(tmp_path / "part", ["dog"], each=3)
    fmnist("evaluate", "model.pt", "--data", part)
    compared = fmnist("compare", "model.pt", "pretrained", "--data", "pets", code=65)
    assert "have different classes" in compared.stderr


def test_a_class_of_one_image_and_unbalanced_classes(fmnist: Program, tmp_path: Path) -> None:
    write_pictures(tmp_path / "pets", ["cat"], each=8)
    write_pictures(tmp_path / "pets", ["dog"], each=1)
    lone = fmnist("train", "--data", "pets", *TRAIN, "-b", "4", code=65)
    assert "only one image of dog" in lone.stderr
    assert "--val-size 0" in lone.stderr
    fmnist("train", "--data", "pets", *TRAIN, "-b", "4", "--val-size", "0")
    write_pictures(tmp_path / "zoo", ["ape"], each=20)
    write_pictures(tmp_path / "zoo", ["bee"], each=3)
    trained = fmnist("train", "--data", "zoo", *TRAIN, "-b", "4")
    assert "the classes are unbalanced: 20 images of ape, 3 of bee" in trained.stderr
    assert "--class-weights balanced" in trained.stderr
    described = fmnist("info", "zoo")
    assert "the classes are unbalanced: 20 images of ape, 3 of bee" in described.stderr


def test_pretrained_weights_serve_other_classes(fmnist: Program, tmp_path: Path) -> None:
    data = write_pictures(tmp_path / "pets", ["cat", "cow", "dog"], each=12)
    fmnist("train", "--data", data, "--weights", "pretrained", "--epochs", "2", "--threads", "1")
    described = fmnist.json("info", "model.pt")
    assert described["recipe"] == "finetune"
    assert described["network"] == "convnet"
    assert described["classes"] == ["cat", "cow", "dog"]


def test_a_validation_directory_is_the_validation_split(fmnist: Program, tmp_path: Path) -> None:
    for split, each in (("train", 8), ("val", 3), ("test", 2)):
        write_pictures(tmp_path / "pets" / split, ["cat", "dog"], each, seed=each)
    fmnist("train", "--data", "pets", *TRAIN, "-b", "8")
    for split, n in (("train", 16), ("val", 6), ("test", 4)):
        assert fmnist.json("evaluate", "model.pt", "--split", split)["n"] == n
    splits = fmnist.json("info", "pets")["splits"]
    assert [splits[name]["n"] for name in ("train", "val", "test")] == [16, 6, 4]
    fmnist("train", "--resume", "run", "--epochs", "5")
    fmnist("train", "--data", "pets", *TRAIN, "-b", "8", "--repeat", "2")
    fmnist("train", "--data", "pets", *TRAIN, "-b", "8", "--val-size", "4")
    assert fmnist.json("evaluate", "model.pt", "--split", "val")["n"] == 4


def test_a_validation_directory_is_no_test_split(fmnist: Program, tmp_path: Path) -> None:
    for split, each in (("Train", 8), ("Val", 3)):
        write_pictures(tmp_path / "pets" / split, ["cat", "dog"], each, seed=each)
    fmnist("train", "--data", "pets", *TRAIN, "-b", "8")
    for model in ((), ("model.pt", "--data", "./pets")):
        for split, n in (("train", 16), ("val", 6)):
            assert fmnist.json("evaluate", *model, "--split", split)["n"] == n
        none = fmnist("evaluate", *model, code=2)
        assert "names no test split" in none.stderr
        assert "--split val" in none.stderr
    splits = fmnist.json("info", "pets")["splits"]
    assert {name: split["n"] for name, split in splits.items()} == {"train": 16, "val": 6}
    show = ("show", "--data", "pets", "--split", "val", "-n", "9")
    assert len(fmnist.json(*show)["samples"]) == 6
    assert len(fmnist("predict", "model.pt", "pets").stdout.splitlines()) == 22


def test_several_sources_are_joined_and_repeated(fmnist: Program, tmp_path: Path) -> None:
    write_pictures(tmp_path / "more" / "boots", [""], 12)
    write_pictures(tmp_path / "more" / "T-shirts", [""], 12)
    joined = ("--data", "sample:200", "--data", "more")
    train = ("train", *joined, "--repeat", "1,3", *TRAIN, "--val-size", "24")
    assert fmnist.json(*train)["data"] == "sample:200 + more"
    fmnist("train", "--resume", "run", "--epochs", "5")
    for split, n in (("val", 24), ("train", 200), ("test", 500)):
        assert fmnist.json("evaluate", "model.pt", "--split", split)["n"] == n
    wrong = fmnist("train", *joined, "--repeat", "2", *TRAIN, code=2)
    assert "--repeat has 1 numbers; expected one for each of 2 --data" in wrong.stderr
    write_pictures(tmp_path / "pets", ["cat", "dog"], 3)
    other = fmnist("train", *joined[:2], "--data", "pets", *TRAIN, code=65)
    assert "'sample:200' has no class cat, dog; its classes: T-shirt/top" in other.stderr
    (tmp_path / "run.toml").write_text('data = ["sample:100", "more"]\nrepeat = "2,1"\n')
    fmnist("train", "-q", "--config", "run.toml", *TRAIN)
