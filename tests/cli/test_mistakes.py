"""The mistakes that users make most: each is answered in one to three lines with the way out."""

import json
import os
import pickle
import shutil
import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper
from PIL import Image

from fmnist_cli.data.csv_layout import PIXELS
from fmnist_cli.pretrained import FILE
from tests.cli.conftest import Program
from tests.sample_images import draw, photograph

NO_NETWORK = {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
"""No proxy answers there."""


@dataclass(frozen=True)
class Mistake:
    """A command, the exit code it has to get, and words that the answer has to hold."""

    command: str
    code: int
    told: tuple[str, ...]


def mistake(command: str, code: int, *told: str) -> Mistake:
    return Mistake(command, code, told)


MISTAKES = {
    # paths
    "wrong path of a model": mistake("evaluate gone.pt", 66, "no model", "fmnist train", "pretrained"),
    "mistyped path of a model": mistake("info mdoel.pt", 66, "did you mean 'model.pt'"),
    "mistyped name of the model": mistake("evaluate pretraned", 66, "did you mean 'pretrained'"),
    "wrong path of a picture": mistake("predict model.pt gone.png", 66, "no file or directory at 'gone.png'"),
    "an address of a picture": mistake(
        "predict model.pt https://shop.example/a.jpg?b=1&c=2", 66, "curl -sL 'https://shop.example/a.jpg?b=1&c=2' |"
    ),
    "wrong path of data": mistake("train --data ./gone", 66, "no file or directory", "a CSV file"),
    "mistyped name of data": mistake("train --data fashion_mnist", 2, "did you mean 'fashion-mnist'"),
    "a folder in place of a model": mistake("evaluate empty", 65, "is a directory", ".pt or .onnx"),
    "no file": mistake("evaluate empty.pt", 65, "it is empty", "fmnist train"),
    # the order of arguments
    "swapped arguments": mistake("predict photo.jpg model.pt", 65, "it is an image", "predict MODEL INPUT"),
    "swapped, by name": mistake("predict photo.jpg pretrained", 66, "the model comes first", "predict MODEL INPUT"),
    "no model": mistake("predict photo.jpg", 2, "Missing argument", "fmnist predict pretrained photo.jpg"),
    "an output without -o": mistake("export-onnx model.pt out.onnx", 2, "unexpected", "[OPTIONS] [MODEL]"),
    "data without --data": mistake("train fashion-mnist", 2, "unexpected", "train [OPTIONS]"),
    # devices
    "CUDA where there is none": mistake("train --device cuda:99", 69, "no device 'cuda:99'", "there is: "),
    "a device of no name": mistake("predict model.pt photo.jpg --device nvidia", 2, "cuda:N", "is called cuda"),
    # no data and no network
    "no data, no network": mistake(
        "train --data-dir cache --mirror ./gone", 69, "no mirror delivers", "fmnist download --mirror"
    ),
    # names that are nearly right
    "a mistyped command": mistake("trian", 2, "Did you mean 'train'"),
    "a command of other programs": mistake("test model.pt", 2, "Did you mean 'evaluate'"),
    "a mistyped option": mistake("train --epoch 3", 2, "--epochs"),
    "an option of other programs": mistake("train --learning-rate 0.1", 2, "--lr"),
    "a mistyped recipe": mistake("train --recipe defualt", 2, "did you mean 'default'"),
    "a mistyped network": mistake("train --model resnet-18", 2, "did you mean 'resnet18'"),
    "a mistyped augmentation": mistake("train --augment filp", 2, "did you mean 'flip'"),
    "a mistyped choice": mistake("train --schedule cos", 2, "Did you mean 'cosine'"),
    "a mistyped metric": mistake("evaluate model.pt --min acuracy=0.9", 2, "did you mean 'accuracy'"),
    "a mistyped class": mistake("evaluate model.pt --min recall[Shrit]=1", 2, "did you mean 'Shirt'"),
    "per cent": mistake("evaluate model.pt --min accuracy=92", 2, "from 0 to 1"),
    # models of other tools
    "a model of YOLO": mistake("evaluate yolo.pt", 65, "whole pickled object", "weights_only=False"),
    "a state dict of long ago": mistake("predict timm.pth photo.jpg", 65, "until version 1.5", "python -c"),
    "safetensors": mistake("evaluate net.safetensors", 65, "safetensors", "--model NAME"),
    "a model of Keras": mistake("evaluate net.h5", 65, "Keras", "fmnist train"),
    "a pickle": mistake("evaluate net.pkl", 65, "a bare pickle", "torch.save(model.state_dict()"),
    "ONNX of another tool": mistake("predict net.onnx photo.jpg", 65, "uint8 [N, 28, 28]", "export-onnx"),
    "weights of another network": mistake(
        "train --weights model.pt --model tutorial --data sample:100", 65, "does not fit", "--model"
    ),
    "weights with code": mistake("train --weights yolo.pt --data sample:100", 65, ".state_dict(), 'weights.pt'"),
    "mistyped weights": mistake("train --weights pretraned --data sample:100", 66, "did you mean 'pretrained'"),
    # data that is not what was expected
    "an empty folder": mistake("train --data empty", 65, "no pictures", "subdirectory of pictures per class"),
    "pictures without classes": mistake("train --data flat", 65, "without a class", "subdirectory of pictures per class"),
    "a folder of other classes": mistake("evaluate pretrained --data named", 65, "no class cats", "its classes: T-shirt/top"),
    "a picture as data": mistake("train --data photo.jpg", 65, "not a CSV file", "label,pixel1"),
    "an empty CSV file": mistake("train --data empty.csv", 65, "is empty", "label,pixel1"),
    "a CSV file without labels": mistake("train --data test.csv", 65, "no labels", "fmnist predict MODEL test.csv"),
    "a CSV file alone": mistake("evaluate model.pt --data test.csv", 65, "has no labels", "fmnist predict MODEL test.csv"),
    "no picture": mistake("predict model.pt empty.csv", 65, "could not be read"),
    # numbers
    "no epochs": mistake("train --epochs 0", 2, "--epochs", "1"),
    "a share above 1": mistake("train --val-size 1.5", 2, "--val-size", "a share below 1"),
    "all of the data held out": mistake("train --data sample:100 --val-size 100", 2, "--val-size"),
    "a duration of no unit": mistake("train --time-budget soon", 2, "90s"),
    # runs, outputs, configs
    "resuming nothing": mistake("train --resume last", 66, "no run to resume", "--resume RUN_DIR"),
    "resuming a folder of another kind": mistake("train --resume empty", 66, "last.pt", "--resume last"),
    "an output that is a folder": mistake("train --data sample:100 -o empty", 73, "it is a directory", "name a file"),
    "a grid of another format": mistake("show --data sample:100 -o grid.jpg", 2, "'grid.jpg'", ".png"),
    "an output below a file": mistake("train --data sample:100 -o photo.jpg/m.pt", 73, "photo.jpg"),
    "a config with an unknown key": mistake("train --config key.toml", 2, "did you mean 'epochs'"),
    "a config that is no TOML": mistake("train --config bad.toml", 65, "line 1", "epochs = 20"),
    "a config with a table": mistake("train --config table.toml", 2, "is a table", "epochs = 20"),
}  # fmt: skip


class Foreign(torch.nn.Linear):
    """A class that only its own tool has."""


def furnish(folder: Path) -> None:
    """Put into the working folder what the mistakes are made with."""
    shutil.copy(FILE, folder / "model.pt")
    gray = Image.fromarray(np.zeros((28, 28), np.uint8))
    photograph(draw(1, "train").images[0]).save(folder / "photo.jpg")
    for sub in ("empty", "flat", "named/cats"):
        (folder / sub).mkdir(parents=True)
    gray.save(folder / "flat/1.png")
    gray.save(folder / "named/cats/1.png")
    for name in ("empty.pt", "empty.csv"):
        (folder / name).touch()
    torch.save({"model": Foreign(2, 2)}, folder / "yolo.pt")
    torch.save({"w": torch.ones(2)}, folder / "timm.pth", _use_new_zipfile_serialization=False)
    header = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    (folder / "net.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + bytes(4))
    (folder / "net.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    (folder / "net.pkl").write_bytes(pickle.dumps({"a": 1}))
    with zipfile.ZipFile(folder / "net.keras", "w") as archive:
        archive.writestr("config.json", "{}")
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, 224, 224])
        for name in ("images", "y")
    ]
    relu = helper.make_node("Relu", ["images"], ["y"])
    graph = helper.make_graph([relu], "net", ends[:1], ends[1:])
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8),
        folder / "net.onnx",
    )
    (folder / "test.csv").write_text(f"{','.join(PIXELS)}\n{','.join(['0'] * 784)}\n")
    (folder / "bad.toml").write_text("epochs = \n")
    (folder / "key.toml").write_text("epoch = 3\n")
    (folder / "table.toml").write_text("[train]\nepochs = 3\n")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The working folder of all mistakes."""
    folder = tmp_path_factory.mktemp("mistakes")
    furnish(folder)
    return folder


@pytest.mark.parametrize("name", MISTAKES)
def test_the_answer_names_the_way_out(fmnist: Program, folder: Path, name: str) -> None:
    done = fmnist(*MISTAKES[name].command.split(), cwd=folder, env=NO_NETWORK)
    assert done.returncode == MISTAKES[name].code, done.stderr
    assert 1 <= len(done.stderr.splitlines()) <= 3
    assert "Traceback" not in done.stderr
    assert "Value error" not in done.stderr
    for words in MISTAKES[name].told:
        assert words.replace("/", os.sep) in done.stderr.replace("/", os.sep)
    if name != "no picture":  # a stream's inputs are answered on stdout, each by itself
        assert done.stdout == ""
    assert not (folder / "runs").exists(), "a mistake has left a run folder"


def test_a_photo_in_color_is_prepared_not_refused(fmnist: Program, folder: Path) -> None:
    """No mistake: a photo in place of 28x28 pixels."""
    done = fmnist("predict", "pretrained", "photo.jpg", "-v", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "photo.jpg: prepared as a photo\n")
    assert json.loads(done.stdout)["input"] == "photo.jpg"
