"""What the remaining commands print as JSON fits the schemas that scripts can rely on."""

from pathlib import Path

from tests.cli.conftest import Program
from tests.cli.schemas import parse


def test_predict(fmnist: Program, trained_model: Path, tmp_path: Path) -> None:
    fmnist("show", "--data", "sample:600", "-n", "3", "-o", f"{tmp_path}/in/")
    (tmp_path / "in" / "zz.png").write_bytes(b"no picture")
    done = fmnist("predict", trained_model, tmp_path / "in", "--top-k", "2")
    lines = [parse(line, "predict") for line in done.stdout.splitlines()]
    assert done.returncode == 65
    assert [("error" in line) for line in lines] == [False, False, False, True]


def test_download(mirror: Path, fmnist: Program, tmp_path: Path) -> None:
    done = fmnist(
        *("download", "--data-dir", tmp_path, "--mirror", mirror, "--format", "json"),
    )
    assert done.returncode == 0, done.stderr
    found = parse(done.stdout, "download")
    assert found["folder"] == str(tmp_path)
    for file in found["files"]:
        assert (tmp_path / file["name"]).stat().st_size == file["bytes"]


def test_export(fmnist: Program, trained_model: Path, tmp_path: Path) -> None:
    done = fmnist("export-onnx", trained_model, "-o", tmp_path / "m.onnx", "--format", "json")
    assert done.returncode == 0, done.stderr
    card = parse(done.stdout, "export-onnx")
    assert card["metadata"]["classes"][9] == "Ankle boot"
