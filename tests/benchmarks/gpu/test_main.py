"""All of it at toy size on the CPU, in two calls: the second goes on where the first stopped."""

import json
from pathlib import Path

import pytest
import torch

from benchmarks.gpu import __main__ as gpu
from benchmarks.gpu import runs
from benchmarks.gpu.setting import NotDone, Setting
from benchmarks.harness.rows import MISSED
from fmnist_cli.training.recipes import RECIPES
from fmnist_cli.training.run_directory import STATE_FILE

TOY = ("--device", "cpu", "--toy")


def call(tmp_path: Path, *more: str) -> int:
    work, page = ("--work", str(tmp_path / "work")), ("--page", str(tmp_path / "GPU.md"))
    return gpu.main([*work, *page, *TOY, *more])


def test_everything_at_toy_size_in_several_calls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert call(tmp_path, "--only", "ceilings", "rates", "fast") in (0, 3)
    first = json.loads((tmp_path / "work" / "results.json").read_text())
    assert {*first} == {"ceilings", *(f"rates/{name}" for name in RECIPES), "fast/100"}

    assert call(tmp_path, "--minutes", "0") == gpu.AGAIN
    page = (tmp_path / "GPU.md").read_text()
    assert "Not measured yet: best/100, distil." in page
    assert "its figures mean nothing" in page

    assert call(tmp_path) == MISSED  # a toy's accuracy
    kept = json.loads((tmp_path / "work" / "results.json").read_text())
    assert {name: kept[name] for name in first} == first
    lines = (tmp_path / "GPU.md").read_text().splitlines()
    for what in (
        "`fast`: test accuracy",
        "`best`: test accuracy",
        "distilled from 1: test accuracy",
    ):
        (line,) = (line for line in lines if what in line)
        assert line.split(" | ")[5].strip() in ("yes", "**no**")
    for recipe in RECIPES:
        assert any(line.startswith(f"| `{recipe}`: an epoch of 256 images") for line in lines)


def test_a_run_that_is_stopped_goes_on_in_the_next_call(tmp_path: Path) -> None:
    setting = Setting(tmp_path, torch.device("cpu"), is_toy=True)
    run_dir = tmp_path / "best-7-run"

    def stop_then_go_on(_self: object, *arguments: str | Path, timeout: float) -> str:
        calls.append([str(argument) for argument in arguments])
        if len(calls) == 1:
            run_dir.mkdir()
            (run_dir / STATE_FILE).touch()
            raise NotDone
        return '{"seconds": 12.5}'

    calls: list[list[str]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Setting, "fmnist", stop_then_go_on)
        patch.setattr(Setting, "accuracy", lambda _self, _model: 96.0)
        with pytest.raises(NotDone):
            runs.resumable(setting, "best", 7)
        found = runs.resumable(setting, "best", 7)
    assert found == {"training_seconds": 12.5, "accuracy": 96.0}
    assert "--resume" not in calls[0]
    assert calls[1][calls[1].index("--resume") + 1] == str(run_dir)


def test_what_is_missing_is_told_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(gpu, "NEEDED", ("torch", "no_such_package"))
    assert call(tmp_path) == 1
    assert "missing here: no_such_package" in capsys.readouterr().out
    assert not (tmp_path / "work").exists()
