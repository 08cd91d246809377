"""Common mistakes and habits from other tools: each works, or the answer names what does."""

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


SMALL = "train --data sample:100 --model tutorial --epochs 1 --batch-size 20"


@dataclass(frozen=True)
class Case:
    """A command, its exit code, and words of its output; `!` marks words that must not occur."""

    command: str
    code: int
    words: tuple[str, ...]
    stdin: str = ""


def case(command: str, code: int, *words: str, stdin: str = "") -> Case:
    return Case(command, code, words, stdin)


CASES = {
    # paths
    "wrong path of a model": case("evaluate gone.pt", 66, "no model", "fmnist train", "pretrained"),
    "mistyped path of a model": case("info mdoel.pt", 66, "did you mean 'model.pt'"),
    "mistyped name of the model": case("evaluate pretraned", 66, "did you mean 'pretrained'"),
    "wrong path of a picture": case("predict model.pt gone.png", 66, "no file or directory at 'gone.png'"),
    "an address of a picture": case(
        "predict model.pt https://shop.example/a.jpg?b=1&c=2", 66, "curl -sL 'https://shop.example/a.jpg?b=1&c=2' |"
    ),
    "mistyped path of a picture": case("predict model.pt a/bb.png", 66, "did you mean 'a/b.png'"),
    "mistyped path of data": case("train --data ./nosie.csv", 66, "did you mean 'noise.csv'", "a CSV file"),
    "mistyped directory of data": case("train --data nameds", 2, "did you mean 'named'"),
    "wrong path of data": case("train --data ./gone", 66, "no file or directory", "a CSV file"),
    "mistyped name of data": case("train --data fashion_mnist", 2, "did you mean 'fashion-mnist'"),
    "a folder in place of a model": case("evaluate empty", 65, "is a directory", ".pt or .onnx"),
    "a damaged model": case("info bad.pt", 65, "bad.pt"),
    "a damaged ONNX file": case("info bad.onnx", 65, "bad.onnx"),
    "a damaged file of no suffix": case("info bad", 65, "bad"),
    "no file": case("evaluate empty.pt", 65, "it is empty", "fmnist train"),
    # the order of arguments
    "swapped arguments": case("predict photo.jpg model.pt", 65, "it is an image", "predict MODEL INPUT"),
    "swapped, by name": case("predict photo.jpg pretrained", 66, "the model comes first", "predict MODEL INPUT"),
    "an output without -o": case("export-onnx model.pt out.onnx", 2, "unexpected", "[OPTIONS] [MODEL]"),
    "data without --data": case("train fashion-mnist", 2, "unexpected", "train [OPTIONS]"),
    # devices
    "a device of no name": case("predict model.pt photo.jpg --device nvidia", 2, "cuda:N", "is called cuda"),
    # no data and no network
    "no data, no network": case(
        "train --data-dir cache --mirror ./gone", 69, "no mirror delivers", "fmnist download --mirror"
    ),
    # names that are nearly right
    "a mistyped command": case("trian", 2, "Did you mean 'train'"),
    "a command of other programs": case("test model.pt", 2, "Did you mean 'evaluate'"),
    "a mistyped option": case("train --epoch 3", 2, "--epochs"),
    "an option of other programs": case("train --learning-rate 0.1", 2, "--lr"),
    "a mistyped recipe": case("train --recipe defualt", 2, "did you mean 'default'"),
    "a mistyped network": case("train --model resnet-18", 2, "did you mean 'resnet18'"),
    "a mistyped augmentation": case("train --augment filp", 2, "did you mean 'flip'"),
    "a mistyped choice": case("train --schedule cos", 2, "Did you mean 'cosine'"),
    "a mistyped metric": case("evaluate model.pt --min acuracy=0.9", 2, "did you mean 'accuracy'"),
    "a mistyped class": case("evaluate model.pt --min recall[Shrit]=1", 2, "did you mean 'Shirt'"),
    "per cent": case("evaluate model.pt --min accuracy=92", 2, "from 0 to 1"),
    "more than all": case("evaluate model.pt --min accuracy=1.01", 2, "from 0 to 1"),
    # models of other tools
    "a model of YOLO": case("evaluate yolo.pt", 65, "whole pickled object", "weights_only=False"),
    "a state dict of long ago": case("predict timm.pth photo.jpg", 65, "until version 1.5", "python -c"),
    "safetensors": case("evaluate net.safetensors", 65, "safetensors", "--model NAME"),
    "a model of Keras": case("evaluate net.h5", 65, "Keras", "fmnist train"),
    "a pickle": case("evaluate net.pkl", 65, "a bare pickle", "torch.save(model.state_dict()"),
    "ONNX of another tool": case("predict net.onnx photo.jpg", 65, "uint8 [N, 28, 28]", "export-onnx"),
    "weights of no network": case("evaluate weights.pt", 65, "--model NAME"),
    "weights of other names": case("evaluate weights.pt --model tutorial", 65, "'conv.0.bias' is missing (7 more)"),
    "weights of another network": case(
        "train --weights model.pt --model tutorial --data sample:100", 65, "does not fit", "--model"
    ),
    "weights with code": case("train --weights yolo.pt --data sample:100", 65, ".state_dict(), 'weights.pt'"),
    "mistyped weights": case("train --weights pretraned --data sample:100", 66, "did you mean 'pretrained'"),
    # data that is not what was expected
    "an empty folder": case("train --data empty", 65, "no pictures", "subdirectory of pictures per class"),
    "pictures without classes": case("train --data flat", 65, "without a class", "subdirectory of pictures per class"),
    "a folder of other classes": case("evaluate pretrained --data named", 65, "no class cats", "its classes: T-shirt/top"),
    "a folder of one class": case("train --data named", 65, "pictures in 1 subdirectory: cats"),
    "one class": case("train --data sample --classes cat", 2, "names 1 class; expected 2 to 1,000"),
    "a missing file of classes": case("train --data sample --classes nofile.txt", 66, "no file at 'nofile.txt'", "a name per line"),
    "a class named twice": case("train --data sample --classes cat,cat", 2, "'cat' is named twice"),
    "a class of no name": case("train --data sample --classes cat,,dog", 2, "can't be the name of a class"),
    "a picture as data": case("train --data photo.jpg", 65, "not a CSV file", "label,pixel1"),
    "a CSV file of Excel's": case("train --data gbk.csv", 65, "line 2, column 'label'", "not UTF-8", "Excel: 'CSV UTF-8'"),
    "its header too": case("train --data gbk-header.csv", 65, "line 1", "Excel: 'CSV UTF-8'", "!is not a CSV file"),
    "Excel's Unicode text": case("train --data utf16.csv", 65, "line 1", "Excel: 'CSV UTF-8'"),
    "a file of classes in GBK": case("train --data sample --classes gbk.txt", 2, "'gbk.txt' is not UTF-8"),
    "commas of a Chinese keyboard": case(f"{SMALL} --run-dir chinese --classes 零，1,2,3,4,5,6,7,8,九", 0, "model.pt"),
    "labels from 1": case("train --data one.csv", 65, "if yours count from 1, subtract 1", "--classes none,T-shirt/top,…"),
    "arrays in color": case("train --data rgb.npz", 65, "images are [2, 28, 28, 3]", "images.mean(axis=3).astype('uint8')"),
    "an array in color": case("predict model.pt rgb.npy", 65, "images.mean(axis=1)"),
    "an empty CSV file": case("train --data empty.csv", 65, "is empty", "label,pixel1"),
    "a CSV file without labels": case("train --data test.csv", 65, "no labels", "fmnist predict MODEL test.csv"),
    "a CSV file alone": case("evaluate model.pt --data test.csv", 65, "has no labels", "fmnist predict MODEL test.csv"),
    "a validation split of other data": case("evaluate f.pt --split val --data sample:50", 65, "not the training data"),
    "a validation split of no model": case("show --data sample:100 --split val", 2, "--errors"),
    "no picture": case("predict model.pt empty.csv", 65, "could not be read"),
    # numbers
    "no epochs": case("train --epochs 0", 2, "--epochs", "1"),
    "all of the data held out": case("train --data sample:100 --val-size 100", 2, "--val-size"),
    "a duration of no unit": case("train --time-budget soon", 2, "90s"),
    "a rate far too high": case(
        "train -q --data sample:100 --model tutorial --optimizer sgd --lr 100 --batch-size 10 --run-dir r",
        70,
        "training diverged; try a lower --lr (it was 100)",
    ),
    "a seed that torch does not take": case(
        "train --seed 18446744073709551616", 2, "--seed is 18446744073709551616", "at most 18446744073709551615"
    ),
    "seeds that torch does not take": case("train --seeds 0,18446744073709551616", 2, "a seed above 18446744073709551615"),
    "an average that never moves": case("train --ema 1", 2, "--ema is 1", "less than 1"),
    "too many threads": case("train --threads 100000000", 2, "--threads is 100000000", "at most 1024"),
    "too many threads to evaluate": case("evaluate pretrained --threads 100000000", 2, "at most 1024"),
    "no threads to predict with": case("predict model.pt photo.jpg --threads 0", 2, "--threads is 0", "at least 1"),
    # runs, outputs, configs
    "no command": case("", 2, "Usage"),
    "no number": case("train --epochs none", 2, "--epochs"),
    "a strength out of range": case("train --augment flip:9", 2, "0 to 1"),
    "a mistyped optimizer": case("train --optimizer sgdd", 2, "sgd"),
    "no model to serve": case("serve gone.onnx --port 0", 66, "no model at"),
    "no model to export and serve": case("serve gone.pt --port 0", 66, "no model at"),
    "a second model that is missing": case("compare pretrained gone.pt", 66, "no model"),
    "a picture and a missing one": case("predict model.pt a/b.png gone.png", 66, "gone.png"),
    "a missing model and picture": case("predict gone.pt gone.png", 66, "gone.png"),
    "nothing to export": case("export-onnx gone.pt", 66, "no model"),
    "a file to export that is no model": case("export-onnx bad.toml", 65, "not a model"),
    "an unknown opset": case("export-onnx --opset 3", 2, "--opset"),
    "no image to verify with": case("export-onnx --verify 0", 2, "--verify"),
    "an export to a folder": case("export-onnx -o .", 73, "it is a directory"),
    "a missing config": case("train --config gone.toml", 66, "no config file"),
    "nothing to describe": case("info gone.onnx", 66, "gone.onnx"),
    "no folder to describe": case("info gone/", 66, "gone"),
    "no data to describe": case("info nothing", 2, "nothing"),
    "a mirror to verify with": case("download --verify --mirror .", 2, "--verify"),
    "nothing to verify": case("download --verify --data-dir gone", 66, "fmnist download"),
    "a data folder below a file": case("download --data-dir photo.jpg/data", 73, "photo.jpg"),
    "--verify and --force": case("download --verify --force", 2, "--verify"),
    "an image on stdin and no input": case("predict model.pt --stdin-image", 2, "Missing argument", "--stdin-image -"),
    "an image on stdin without -": case("predict model.pt --stdin-image x.png", 2, "--stdin-image -"),
    "stdin twice": case("predict model.pt - -", 2, "- may be given once"),
    "no classes to list": case("predict model.pt - --top-k 0", 2, "--top-k"),
    "a run's curves as PDF": case("runs --curves c.pdf", 2, ".png, .svg or .html"),
    "no runs": case("runs gone", 66, "fmnist train"),
    "a condition on no option": case("runs finished --where lrr=1", 2, "no run has an option 'lrr'"),
    "no seeds": case("train --data sample --seeds 3-1", 2, "--seeds"),
    "a batch that can't be shared": case("train --data sample:100 --nproc 3", 2, "can't be split evenly over --nproc 3"),
    "resuming into another directory": case(
        "train --resume finished --run-dir other", 2, "--run-dir does not go with --resume"
    ),
    "resuming by the state file": case("train --resume finished/last.pt", 0, "go on with --epochs N"),
    "a learning rate drawn below a file": case(
        "train --find-lr --data sample:100 -o photo.jpg/lr.png", 73, "photo.jpg"
    ),
    "a report in place of the model": case(
        "evaluate model.pt --data sample --report ./model.pt", 2, "can't be an output", "name another file"
    ),
    "predictions in place of the data": case(
        "evaluate model.pt --data noise.csv --predictions noise.csv", 2, "'noise.csv' can't be an output"
    ),
    "two outputs in one file": case(
        "evaluate model.pt --data sample --report a.html --predictions a.html", 2, "writes it twice"
    ),
    "classes of a model that has its own": case(
        "evaluate pretrained --data sample --classes cat,dog", 2, "records its own classes"
    ),
    "a missing ONNX file": case("predict gone.onnx shirt.jpg", 66, "export-onnx MODEL --output gone.onnx"),
    "a rate of several seeds": case("train --find-lr --data sample --seeds 0-1", 2, "--seeds"),
    "a picture of rates as a model": case("train --find-lr --data sample -o model.pt", 2, "FILE.png or .svg"),
    "changing a run halfway": case("train --resume finished --lr 0.5", 2, "--lr can't change"),
    "resuming a run that is gone": case("train --resume gone", 66, "gone"),
    "resuming nothing": case("train --resume last", 66, "no run to resume", "--resume RUN_DIR"),
    "resuming a folder of another kind": case("train --resume empty", 66, "last.pt", "--resume last"),
    "an output that is a folder": case("train --data sample:100 -o empty", 73, "it is a directory", "name a file"),
    "a grid of another format": case("show --data sample:100 -o grid.jpg", 2, "'grid.jpg'", ".png"),
    "errors as training sees them": case("show --errors model.pt --augment flip", 2, "--errors"),
    "a matrix of another format": case("evaluate model.pt --confusion matrix.jpg", 2, "written as .png or .svg"),
    "a report below a file": case("evaluate model.pt --report photo.jpg/report.html", 73, "photo.jpg"),
    "an output below a file": case("train --data sample:100 -o photo.jpg/m.pt", 73, "photo.jpg"),
    "a config with an unknown key": case("train --config key.toml", 2, "did you mean 'epochs'"),
    "a config that is no TOML": case("train --config bad.toml", 65, "line 1", "epochs = 20"),
    "a config with a truth for a number": case("train --config true.toml", 2, "'epochs' takes a value, not true"),
    "a config with a table": case("train --config table.toml", 2, "is a table", "epochs = 20"),
    # habits from other tools
    "CUDA device by number": case("predict model.pt a/b.png --device 0", 69, "no device 'cuda:0'", "there is: cpu"),
    "GPU in capitals": case("predict model.pt a/b.png --device GPU", 69, "no device 'cuda'"),
    "gpu": case("info model.pt --device gpu", 2, "--device"),
    "gpu with its number": case("evaluate model.pt --device gpu:1", 69, "no device 'cuda:1'"),
    "CPU in capitals": case("predict model.pt a/b.png --device CPU", 0, '"input": "a/b.png"'),
    "two devices": case("train --device 0,1", 2, "--device cuda:0", "--nproc 2"),
    "two devices, as PyTorch has them": case("train --device cuda:0,1", 2, "--device cuda:0", "--nproc 2"),
    "three devices by name": case("train --device cuda:1,cuda:2,cuda:3", 2, "--device cuda:1", "--nproc 3"),
    "an unknown device": case("train --device tpu", 2, "expected auto, cpu, cuda, cuda:N or mps"),
    "a share to validate on": case(f"{SMALL} --val-size 0.1", 0, "val accuracy"),
    "a share of everything": case("train --val-size 1.0", 2, "--val-size is 1", "a share below 1, such as 0.1"),
    "a share that is no number": case("train --val-size nan", 2, "--val-size is nan"),
    "a negative number": case("train --val-size -5", 2, "--val-size is -5", "at least 0"),
    "a batch larger than the data": case(
        "train --data sample:100 --batch-size 500", 2, "--batch-size 500 is more than the 84 images", "84 or fewer"
    ),
    "a recipe's batch larger than the data": case("train --data sample:30 --epochs 1 --recipe tutorial", 0, "model.pt"),
    "training to ONNX": case("train -o deep/m.onnx", 2, "--output deep/m.pt", "fmnist export-onnx deep/m.pt"),
    "resuming a finished run": case("train --resume finished", 0, "finished; go on with --epochs N", "more than 1"),
    "resuming a run that has stopped early": case("train --resume early", 0, "finished: --early-stop 1 ended it"),
    "ImageNet's weights": case(
        "train --data sample:100 --model resnet18 --weights imagenet", 69, "could not fetch", "Downloading",
        "fetch https://download.pytorch.org/models/resnet18-",
    ),
    "a picture and no model": case("predict shirt.jpg", 2, "no model given", "fmnist predict pretrained shirt.jpg"),
    "a directory and no model": case("predict a", 2, "no model given", "fmnist predict pretrained a"),
    "pictures and no model": case("predict shirt.jpg a/b.png", 65, "it is an image", "the packaged one is pretrained"),
    "a model and no picture": case("predict model.pt", 2, "Missing argument", "{MODEL} {INPUT}", "!no model given"),
    "a model of the sample": case("predict f.pt a/b.png", 0, "trained on the sample"),
    "paths on stdin": case("predict model.pt -", 0, '"input": "./a//b.png"', stdin="./a//b.png\n"),
    "a path with dots": case("predict model.pt a/../a/b.png", 0, '"input": "a/../a/b.png"'),
    "URLs on stdin": case(
        "predict model.pt -", 65, '"input": "https://example.org//b.png"', stdin="https://example.org//b.png\n"
    ),
    "a new opset": case("export-onnx f.pt -o new.onnx --verify 5 --opset 23", 0, "needs ONNX Runtime 1.23 or newer"),
    "images that are no garments": case("evaluate model.pt --data noise.csv --test-data noise.csv", 0, "are these garments?", "fmnist show --data"),
    "garments that are not recognized": case("evaluate model.pt --data mixed.csv --test-data mixed.csv", 0, "!are these garments?"),
    "too few images to tell": case("evaluate model.pt --data few.csv --test-data few.csv", 0, "!are these garments?"),
}  # fmt: skip


class Foreign(torch.nn.Linear):
    """A class that only its own tool has."""


def write_csv(path: Path, images: np.ndarray, labels: np.ndarray) -> None:
    """Write Kaggle's format."""
    rows = np.column_stack([labels, images.reshape(len(images), -1)])
    np.savetxt(path, rows, "%d", ",", header=f"label,{','.join(PIXELS)}", comments="")


@pytest.fixture(scope="module")
def folder(program: Program, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The working folder of all commands, with what they need."""
    folder = tmp_path_factory.mktemp("mistakes")
    shutil.copy(FILE, folder / "model.pt")
    garments = draw(40, "train")
    gray = Image.fromarray(garments.images[0])
    photograph(garments.images[0]).save(folder / "photo.jpg")
    for sub in ("empty", "flat", "named/cats", "a"):
        (folder / sub).mkdir(parents=True)
    for name in ("flat/1.png", "named/cats/1.png", "shirt.jpg", "a/b.png"):
        gray.save(folder / name)
    for name in ("empty.pt", "empty.csv"):
        (folder / name).touch()
    torch.save({"model": Foreign(2, 2)}, folder / "yolo.pt")
    torch.save({"weight": torch.zeros(2)}, folder / "weights.pt")
    for name in ("bad.pt", "bad.onnx", "bad"):
        (folder / name).write_bytes(b"PK\x03\x04 and no more")
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
    pixels = ",".join(["0"] * 784)
    for name, label, encoding in (("gbk", "label", "gbk"), ("gbk-header", "标签", "gbk"),
                                  ("utf16", "label", "utf-16")):  # fmt: skip
        text = f"{label},{','.join(PIXELS)}\n衬衫,{pixels}\n"
        (folder / f"{name}.csv").write_text(text, encoding=encoding)
    (folder / "gbk.txt").write_text("衬衫\n裤子\n", encoding="gbk")
    (folder / "one.csv").write_text(f"label,{','.join(PIXELS)}\n10,{pixels}\n")
    rgb = np.zeros((2, 28, 28, 3), np.uint8)
    np.savez(folder / "rgb.npz", images=rgb, labels=np.arange(2))
    np.save(folder / "rgb.npy", rgb.transpose(0, 3, 1, 2))
    (folder / "bad.toml").write_text("epochs = \n")
    (folder / "key.toml").write_text("epoch = 3\n")
    (folder / "true.toml").write_text("epochs = true\n")
    (folder / "table.toml").write_text("[train]\nepochs = 3\n")
    noise = np.random.default_rng(0).integers(0, 256, garments.images.shape)
    write_csv(folder / "noise.csv", noise, np.arange(40) % 10)
    write_csv(folder / "few.csv", noise[:10], np.arange(10))
    write_csv(folder / "mixed.csv", garments.images, (garments.labels + 1) % 10)
    for command in (
        f"{SMALL} --run-dir finished -o f.pt",
        f"{SMALL} --run-dir early -o e.pt --epochs 9 --early-stop 1 --lr 1e-9",
    ):
        program(*command.split(), "-q", cwd=folder)
    return folder


@pytest.mark.parametrize("name", CASES)
def test_the_answer_names_the_way_out(fmnist: Program, folder: Path, name: str) -> None:
    case = CASES[name]
    before = {*folder.glob("runs/*")}
    env = {**NO_NETWORK, "TORCH_HOME": str(folder / "hub")}
    done = fmnist(*case.command.split(), cwd=folder, stdin=case.stdin, env=env, code=case.code)
    assert "Value error" not in done.stderr
    shown = (done.stdout + done.stderr).replace(os.sep, "/")
    for words in case.words:
        assert (words.removeprefix("!") in shown) != words.startswith("!"), shown
    assert case.code == 0 or before == {*folder.glob("runs/*")}, "a mistake has left a run folder"


def test_a_photo_in_color_is_prepared_not_refused(fmnist: Program, folder: Path) -> None:
    """No mistake: a photo in place of 28x28 pixels."""
    done = fmnist("predict", "pretrained", "photo.jpg", "-v", cwd=folder)
    lines = [line for line in done.stderr.splitlines() if "photo" in line]
    assert lines == ["photo.jpg: prepared as a photo"]
    assert json.loads(done.stdout)["input"] == "photo.jpg"


def test_a_share_in_a_config_file_is_recorded_as_a_number(fmnist: Program, folder: Path) -> None:
    (folder / "share.toml").write_text("val-size = 0.25\n")
    fmnist(*SMALL.split(), "-q", "--config", "share.toml", "--run-dir", "share", cwd=folder)
    assert "val-size = 25\n" in (folder / "share/run.toml").read_text()


def test_suggested_commands_quote_the_names_of_files(fmnist: Program, tmp_path: Path) -> None:
    (tmp_path / "a b.csv").write_text(",".join(PIXELS) + "\n" + ",".join(["7"] * 784) + "\n")
    for command, code, suggested in (
        (("evaluate", "a b.pt"), 66, "fmnist train --output 'a b.pt';"),
        (("train", "-o", "a b.onnx"), 2, "fmnist export-onnx 'a b.pt'"),
        (("train", "--data", "a b.csv"), 65, "fmnist predict MODEL 'a b.csv'"),
    ):
        assert suggested in fmnist(*command, code=code).stderr
