"""Recipes trained by the program, a seed at a time, and judged on the test split."""

import json
import time
from pathlib import Path
from typing import Any

from benchmarks.gpu.setting import Setting
from fmnist_cli.runs import STATE_FILE


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


class Kept:
    """What the parts gave, by name, in a file of the work folder."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.parts: dict[str, dict[str, Any]] = {}
        if path.exists():
            self.parts = json.loads(path.read_text(encoding="utf-8"))

    def keep(self, name: str, found: dict[str, Any]) -> None:
        """Add a part's figures and write the file."""
        self.parts[name] = found
        self._path.write_text(json.dumps(self.parts, indent=2) + "\n", encoding="utf-8")

    def of(self, prefix: str) -> list[dict[str, Any]]:
        """The figures of every part whose name begins so, in order."""
        return [found for name, found in self.parts.items() if name.startswith(prefix)]
