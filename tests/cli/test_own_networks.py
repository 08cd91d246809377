"""Networks of the user's own: they work like any other, or get an answer."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from torch import nn

from fmnist_cli import configure, train
from fmnist_cli.checkpoints import checkpoint
from fmnist_cli.data.sources import open_source
from tests.cli.conftest import Program

NETWORKS = Path(__file__).parents[1] / "models" / "networks"
QUICK = (
    *("--data", "sample:600", "--epochs", "1", "--val-size", "100"),
    *("--device", "cpu", "--threads", "1"),
)


@pytest.fixture(scope="module")
def course(program: Program, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the course's network in a file, and a model that was trained with it."""
    folder = tmp_path_factory.mktemp("course")
    shutil.copy(NETWORKS / "course.py", folder / "net.py")
    program("train", "-q", "--model", "net.py:Net", *QUICK, "--run-dir", "run", cwd=folder)
    return folder


def test_the_courses_network_is_used_like_any_other(fmnist: Program, course: Path) -> None:
    network = ("--model", "net.py:Net")
    scores = fmnist.json("evaluate", "model.pt", *network, cwd=course)
    assert scores["n"] == 500
    exported = fmnist("export-onnx", *network, cwd=course)
    assert exported.stdout == "model.onnx\n", exported.stderr
    (course / "net.py").rename(course / "elsewhere.py")
    again = fmnist.json("evaluate", "model.onnx", cwd=course)
    (course / "elsewhere.py").rename(course / "net.py")
    assert again["accuracy"] == scores["accuracy"]
    described = fmnist.json("info", "model.onnx", cwd=course)
    assert described["network"] == "net.py:Net"
    assert described["parameters"] == 582_026
    assert described["recipe"] == "tutorial"


def test_a_model_file_alone_runs_no_code(fmnist: Program, course: Path) -> None:
    refused = fmnist("evaluate", "model.pt", cwd=course, code=2)
    assert "to run that code, name it: --model net.py:Net" in refused.stderr
    resumed = fmnist("train", "--resume", "run", "--epochs", "2", cwd=course, code=2)
    assert "--model net.py:Net" in resumed.stderr


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("我的 网络.py:Net", "'我的 网络.py:Net'"),
        ("x.py:Net\n\x1b$(touch here) ;", r"'x.py:Net\n\x1b$(touch here) ;'"),
    ],
)
def test_the_suggested_network_is_one_word_of_the_shell(
    fmnist: Program, course: Path, tmp_path: Path, name: str, word: str
) -> None:
    loaded = checkpoint.load(course / "model.pt", f"{course / 'net.py'}:Net")
    metadata = replace(loaded.metadata, network=replace(loaded.metadata.network, name=name))
    checkpoint.save(tmp_path / "other.pt", loaded.model.state_dict(), metadata)
    refused = fmnist("evaluate", "other.pt", code=2)
    assert refused.stderr.endswith(f"name it: --model {word}\n")


def test_a_resumed_run_equals_one_in_one_go_and_says_if_the_code_has_changed(
    fmnist: Program, course: Path, tmp_path: Path
) -> None:
    shutil.copytree(course, tmp_path, dirs_exist_ok=True)
    resume = ("train", "--resume", "run", "--model", "net.py:Net", "--epochs", "2")
    fmnist(*resume, "-o", "resumed.pt")
    fmnist("train", "-q", "--model", "net.py:Net", *QUICK, "--epochs", "2", "-o", "whole.pt")
    compare = ("compare", "resumed.pt", "whole.pt", "--model", "net.py:Net")
    assert fmnist.json(*compare)["n_differing"] == 0
    with (tmp_path / "net.py").open("a") as file:
        file.write("# a remark\n")
    changed = fmnist("evaluate", "whole.pt", "--model", "net.py:Net")
    assert "'net.py' has changed since 'whole.pt' was trained" in changed.stderr


@pytest.mark.parametrize("name", ["vit.py:ViT", "loud.py:Net"])
def test_unusual_networks_train_and_print_only_the_path(fmnist: Program, name: str) -> None:
    """Attention and an import of a neighbor; output, seeds and lazy layers at import."""
    done = fmnist("train", "-q", "--model", NETWORKS / name, *QUICK)
    assert done.stdout == "model.pt\n"


def test_what_a_network_prints_goes_to_stderr(fmnist: Program) -> None:
    network = ("--model", f"{NETWORKS}/loud.py:Net")
    fmnist("train", *network, *QUICK)
    data = ("--data", "sample:600")
    for command in (
        ("evaluate", "model.pt", *network, *data, "--format", "json"),
        ("compare", "model.pt", "model.pt", *network, *data, "--format", "json"),
        ("info", "model.pt", *network, "--format", "json"),
        ("export-onnx", "model.pt", *network, "--format", "json"),
        ("train", "--find-lr", *network, *QUICK, "--format", "json"),
    ):
        done = fmnist(*command)
        assert json.loads(done.stdout)
        assert "built\nforward\n" in done.stderr
    assert fmnist("info", f"{NETWORKS}/loud.py:Net").stdout.startswith("network ")
    quiet = fmnist("export-onnx", "-q", *network)
    assert quiet.stdout == "model.onnx\n"
    assert "forward" not in quiet.stderr


@pytest.mark.parametrize(
    ("name", "code", "answers"),
    [
        ("wrong.py:TwoInputs", 2, ["fails on images", "missing 1 required positional argument"]),
        ("wrong.py:Tuple", 2, ["returns a tuple of 2", "logits [N, 10]"]),
        ("wrong.py:TupleInTraining", 2, ["a tuple of 2 in training mode", "the logits alone"]),
        ("wrong.py:Detached", 2, ["logits have no gradient", "leave .detach()"]),
        ("wrong.py:Undifferentiated", 2, ["logits have no gradient", "torch.no_grad()"]),
        ("wrong.py:Overwritten", 2, ["fails in the backward pass", "inplace operation"]),
        ("wrong.py:Squeezed", 2, ["returns [10] for a single image", "in place of squeeze()"]),
        ("wrong.py:Argmax", 2, ["returns int64 [N]", "without argmax"]),
        ("wrong.py:PlainList", 2, ["no weights", "self.layers = nn.ModuleList("]),
        ("wrong.py:Unflattened", 2, ["line 25, in forward", "mat1 and mat2 shapes"]),
        ("wrong.py:Features", 2, ["returns [N, 8, 7, 7]", "flatten it"]),
        ("wrong.py:Thousand", 2, ["returns [N, 1000]", "def __init__(self, num_classes)"]),
        ("wrong.py:Needy", 2, ["needs the argument 'hidden'", "give it a default"]),
        ("wrong.py:Later", 2, ["too many images for me", "in forward"]),
        ("wrong.py:NoSuper", 2, ["in __init__", "call super().__init__() first"]),
        ("wrong.py:NoWeights", 2, ["no weights to train"]),
        ("wrong.py:plain_function", 2, ["gives int"]),
        ("wrong.py:Tupel", 2, ["has no class 'Tupel'", "did you mean 'Tuple'?"]),
        ("broken.py:Net", 2, ["broken.py", "SyntaxError: expected ':'", "class Net(nn.Module)"]),
        ("wrong.py:built", 2, ["already built", "its class or a function"]),
        ("relative.py:Net", 2, ['relative.py", line 1', "ImportError: attempted relative"]),
        ("missing.py:Net", 66, ["no file at", "--model FILE.py:CLASS"]),
        ("wrong.py", 2, ["is a file; name its class too", "wrong.py:CLASS"]),
        ("wrnog.py:Net", 66, ["no file at", "wrong.py'?"]),
        ("wrong.py:", 2, ["names no network", "net.py:Net"]),
    ],
)
def test_a_network_that_cannot_work_gets_its_answer(
    fmnist: Program, tmp_path: Path, name: str, code: int, answers: list[str]
) -> None:
    done = fmnist("train", "--model", f"{NETWORKS}/{name}", *QUICK, code=code)
    for answer in answers:
        assert answer in done.stderr
    assert "fmnist_cli" not in done.stderr
    assert "<frozen" not in done.stderr
    assert not (tmp_path / "model.pt").exists()


def test_a_network_and_arrays_of_a_python_program(fmnist: Program, tmp_path: Path) -> None:
    config = configure(recipe="fast", data="sample:200", epochs=1, batch_size=50, threads=1)
    data = open_source("sample").read("train")[:200]
    list(train(config, data=data, output=tmp_path / "arrays.pt", run_dir=tmp_path / "arrays"))
    network = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    list(train(config, model=network, output=tmp_path / "net.pt", run_dir=tmp_path / "net"))

    done = fmnist("evaluate", "arrays.pt", code=2)
    assert "'arrays.pt' was trained on arrays of a Python program" in done.stderr
    assert "--data NAME|PATH" in done.stderr
    fmnist("evaluate", "arrays.pt", "--data", "sample")
    done = fmnist("train", "--resume", "arrays", "--epochs", "2", code=2)
    assert "'arrays' can't be resumed: it trains on arrays of a Python program" in done.stderr
    assert "fmnist train --weights arrays/last.pt" in done.stderr
    (tmp_path / "arrays").rename(tmp_path / "away")  # a directory of that name would be data
    again = ("train", "--config", "away/run.toml")
    done = fmnist(*again, code=2)
    assert "'arrays' stands for the images of a Python program" in done.stderr
    assert "--data NAME|PATH" in done.stderr
    fmnist(*again, "--data", "sample:200")

    for command in (("evaluate", "net.pt"), ("train", "--resume", "net")):
        done = fmnist(*command, code=2)
        assert "holds a network that a Python program built" in done.stderr
        assert "--model FILE.py:CLASS" in done.stderr
    (tmp_path / "net.py").write_text(
        "from torch import nn\n\nclass Net(nn.Sequential):\n    def __init__(self):\n"
        "        super().__init__(nn.Flatten(), nn.Linear(784, 10))\n"
    )
    fmnist("evaluate", "net.pt", "--model", "net.py:Net")
    fmnist("train", "--resume", "net", "--model", "net.py:Net", "--epochs", "2")


def test_a_network_with_a_fixed_batch_is_not_exported(fmnist: Program, tmp_path: Path) -> None:
    code = (NETWORKS / "vit.py").read_text().replace("images.shape[0]", "len(images)")
    (tmp_path / "vit.py").write_text(code)
    shutil.copy(NETWORKS / "patches.py", tmp_path)
    network = ("--model", "vit.py:ViT")
    fmnist("train", "-q", *network, *QUICK)
    refused = fmnist("export-onnx", *network, code=70)
    assert "take it from images.shape[0]" in refused.stderr
    assert not (tmp_path / "model.onnx").exists()


def test_a_network_that_branches_on_pixels_is_not_exported(fmnist: Program, tmp_path: Path) -> None:
    network = ("--model", f"{NETWORKS}/branching.py:Net")
    fmnist("train", "-q", *network, *QUICK)
    refused = fmnist("export-onnx", *network, code=70)
    first, file, line, advice = refused.stderr.splitlines()
    assert first.startswith("error: torch can't export")
    assert "pixel values" in first
    assert file.endswith('branching.py", line 13, in forward')
    assert line == "    if images.mean() > 0.2:"
    assert "torch.where" in advice
    assert not (tmp_path / "model.onnx").exists()


def test_probabilities_for_logits_are_noticed(fmnist: Program) -> None:
    done = fmnist("train", "--model", f"{NETWORKS}/wrong.py:Softmax", *QUICK)
    assert "leave its softmax out" in done.stderr


def test_a_module_is_found_in_the_working_directory(fmnist: Program, course: Path) -> None:
    fmnist("evaluate", "model.pt", "--model", "net:Net", cwd=course)
    missing = fmnist("evaluate", "model.pt", "--model", "nett:Net", cwd=course, code=2)
    assert "no module 'nett'" in missing.stderr
    missing = fmnist("evaluate", "model.pt", "--model", "nett.py:Net", cwd=course, code=66)
    assert "no file at 'nett.py'" in missing.stderr
