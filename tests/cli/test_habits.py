"""What people type out of habit from other tools: it works, or the answer names what does."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fmnist_cli.data.csv_layout import PIXELS
from fmnist_cli.pretrained import FILE
from tests.cli.conftest import Program
from tests.cli.test_mistakes import NO_NETWORK
from tests.sample_images import draw

SMALL = "train --data sample:100 --model tutorial --epochs 1 --batch-size 20"


@dataclass(frozen=True)
class Habit:
    """A command, its exit code, and words of its output; `!` marks words that must not occur."""

    command: str
    code: int
    words: tuple[str, ...]
    stdin: str = ""


def habit(command: str, code: int, *words: str, stdin: str = "") -> Habit:
    return Habit(command, code, words, stdin)


HABITS = {
    # devices
    "CUDA device by number": habit("predict model.pt a/b.png --device 0", 69, "no device 'cuda:0'", "there is: cpu"),
    "GPU in capitals": habit("predict model.pt a/b.png --device GPU", 69, "no device 'cuda'"),
    "gpu": habit("info model.pt --device gpu", 2, "--device"),
    "gpu with its number": habit("evaluate model.pt --device gpu:1", 69, "no device 'cuda:1'"),
    "CPU in capitals": habit("predict model.pt a/b.png --device CPU", 0, '"input": "a/b.png"'),
    "two devices": habit("train --device 0,1", 2, "--device cuda:0", "--nproc 2"),
    "two devices, as PyTorch has them": habit("train --device cuda:0,1", 2, "--device cuda:0", "--nproc 2"),
    "three devices by name": habit("train --device cuda:1,cuda:2,cuda:3", 2, "--device cuda:1", "--nproc 3"),
    "an unknown device": habit("train --device tpu", 2, "expected auto, cpu, cuda, cuda:N or mps"),
    # training
    "a share to validate on": habit(f"{SMALL} --val-size 0.1", 0, "val accuracy"),
    "a share of everything": habit("train --val-size 1.0", 2, "--val-size is 1", "a share below 1, such as 0.1"),
    "a share that is no number": habit("train --val-size nan", 2, "--val-size is nan"),
    "a negative number": habit("train --val-size -5", 2, "--val-size is -5", "at least 0"),
    "a batch larger than the data": habit(
        "train --data sample:100 --batch-size 500", 2, "--batch-size 500 is more than the 84 images", "84 or fewer"
    ),
    "a recipe's batch larger than the data": habit("train --data sample:30 --epochs 1 --recipe tutorial", 0, "model.pt"),
    "training to ONNX": habit("train -o deep/m.onnx", 2, "--output deep/m.pt", "fmnist export-onnx deep/m.pt"),
    "resuming a finished run": habit("train --resume finished", 0, "finished; go on with --epochs N", "more than 1"),
    "resuming a run that has stopped early": habit("train --resume early", 0, "finished: --early-stop 1 ended it"),
    "ImageNet's weights": habit(
        "train --data sample:100 --model resnet18 --weights imagenet", 69, "could not fetch", "Downloading"
    ),
    # models
    "a picture and no model": habit("predict shirt.jpg", 2, "no model given", "fmnist predict pretrained shirt.jpg"),
    "a directory and no model": habit("predict a", 2, "no model given", "fmnist predict pretrained a"),
    "pictures and no model": habit("predict shirt.jpg a/b.png", 65, "it is an image", "the packaged one is pretrained"),
    "a model and no picture": habit("predict model.pt", 2, "Missing argument", "{MODEL} {INPUT}", "!no model given"),
    "paths on stdin": habit("predict model.pt -", 0, '"input": "./a//b.png"', stdin="./a//b.png\n"),
    "a path with dots": habit("predict model.pt a/../a/b.png", 0, '"input": "a/../a/b.png"'),
    "URLs on stdin": habit(
        "predict model.pt -", 65, '"input": "https://example.org//b.png"', stdin="https://example.org//b.png\n"
    ),
    "a new opset": habit("export-onnx f.pt -o new.onnx --verify 5 --opset 23", 0, "needs ONNX Runtime 1.23 or newer"),
    # data
    "images that are no garments": habit("evaluate model.pt --data noise.csv --test-data noise.csv", 0, "are these garments?", "fmnist show --data"),
    "garments that are not recognized": habit("evaluate model.pt --data mixed.csv --test-data mixed.csv", 0, "!are these garments?"),
    "too few images to tell": habit("evaluate model.pt --data few.csv --test-data few.csv", 0, "!are these garments?"),
}  # fmt: skip


def write_csv(path: Path, images: np.ndarray, labels: np.ndarray) -> None:
    """Write Kaggle's format."""
    rows = np.column_stack([labels, images.reshape(len(images), -1)])
    np.savetxt(path, rows, "%d", ",", header=f"label,{','.join(PIXELS)}", comments="")


@pytest.fixture(scope="module")
def folder(fmnist: Program, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The working directory of all commands."""
    folder = tmp_path_factory.mktemp("habits")
    shutil.copy(FILE, folder / "model.pt")
    (folder / "a").mkdir()
    garments = draw(40, "train")
    for name in ("shirt.jpg", "a/b.png"):
        Image.fromarray(garments.images[0]).save(folder / name)
    noise = np.random.default_rng(0).integers(0, 256, garments.images.shape)
    write_csv(folder / "noise.csv", noise, np.arange(40) % 10)
    write_csv(folder / "few.csv", noise[:10], np.arange(10))
    write_csv(folder / "mixed.csv", garments.images, (garments.labels + 1) % 10)
    for command in (
        f"{SMALL} --run-dir finished -o f.pt",
        f"{SMALL} --run-dir early -o e.pt --epochs 9 --early-stop 1 --lr 1e-9",
    ):
        done = fmnist(*command.split(), "-q", cwd=folder)
        assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("name", HABITS)
def test_the_answer_helps(fmnist: Program, folder: Path, name: str) -> None:
    case = HABITS[name]
    env = {**NO_NETWORK, "TORCH_HOME": str(folder / "hub")}
    done = fmnist(*case.command.split(), cwd=folder, stdin=case.stdin, env=env)
    assert done.returncode == case.code, done.stderr
    assert "Traceback" not in done.stderr
    if case.code and case.code != 65:
        assert done.stdout == "", "stdout carries results only"
        assert len(done.stderr.splitlines()) <= 3
    shown = (done.stdout + done.stderr).replace(os.sep, "/")
    for words in case.words:
        assert (words.removeprefix("!") in shown) != words.startswith("!"), shown


def test_a_share_in_a_config_file_is_recorded_as_a_number(fmnist: Program, folder: Path) -> None:
    (folder / "share.toml").write_text("val-size = 0.25\n")
    done = fmnist(*SMALL.split(), "-q", "--config", "share.toml", "--run-dir", "share", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "val-size = 25\n" in (folder / "share/run.toml").read_text()
