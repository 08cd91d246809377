"""Recipes trained by the program, a seed at a time, and judged on the test split."""

import time
from pathlib import Path

from benchmarks.gpu.setting import Setting
from fmnist_cli.training.run_directory import STATE_FILE


def whole_command(setting: Setting, recipe: str, seed: int) -> dict[str, float]:
    """Train once from the command's start to its file."""
    output = model_of(setting.work, recipe, seed)
    started_at = time.monotonic()
    command: list[str | Path] = ["train", "-q", "--recipe", recipe, "--seed", str(seed)]
    command += ["-o", output, "--run-dir", setting.work / f"{output.stem}-run"]
    summary = setting.ask(*command, *setting.options(), timeout=setting.seconds_left())
    return {
        "command_seconds": time.monotonic() - started_at,
        "training_seconds": summary["seconds"],
        "accuracy": setting.accuracy(output),
    }


def resumable(setting: Setting, recipe: str, seed: int) -> dict[str, float]:
    """Train for as long as this call lasts; the next one goes on where it stopped."""
    output = model_of(setting.work, recipe, seed)
    run_dir = setting.work / f"{output.stem}-run"
    if (run_dir / STATE_FILE).is_file():
        command: list[str | Path] = ["--resume", run_dir, "--device", str(setting.device)]
    else:
        command = ["--recipe", recipe, "--seed", str(seed), "-o", output]
        command += ["--run-dir", run_dir, *setting.options()]
    summary = setting.ask("train", "-q", *command, timeout=setting.seconds_left())
    return {"training_seconds": summary["seconds"], "accuracy": setting.accuracy(output)}


def model_of(work: Path, recipe: str, seed: int) -> Path:
    """Where a seed's model stands."""
    return work / f"{recipe}-{seed}.pt"
