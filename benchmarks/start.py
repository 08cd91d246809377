"""Time until a command shows something: whole processes, best of several rounds.

    python -m benchmarks.start [--rounds 10]

`predict` classifies one PNG file with the default recipe's network.
"""

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks.program import (
    PROGRAM,
    official,
    scratch,
    seconds_of,
    take_turns,
    write_models,
    write_pngs,
)
from benchmarks.report import Row, run

MAX_HELP, MAX_COMMAND_HELP, MAX_ONNX = 0.20, 0.25, 0.9
TORCH_FACTOR, TORCH_SUMMAND = 1.3, 0.4
COMMANDS = ("compare", "download", "evaluate", "export-onnx", "info", "predict", "show", "train")
BASELINES = {
    "an empty Python": "pass",
    "import onnxruntime": "import onnxruntime",
    "import torch": "import torch",
}


def measure(rounds: int = 10) -> Iterator[Row]:
    """Run each command once per round."""
    with scratch() as folder:
        model, exported = write_models("default", folder)
        picture = write_pngs(official("test").images[:1], folder / "in") / "000000.png"
        commands: dict[str, list[str | Path]] = {
            name: [sys.executable, "-c", code] for name, code in BASELINES.items()
        }
        commands["--help"] = [PROGRAM, "--help"]
        commands |= {f"{name} --help": [PROGRAM, name, "--help"] for name in COMMANDS}
        commands["predict model.onnx one.png"] = [PROGRAM, "predict", exported, picture]
        commands["predict model.pt one.png"] = [PROGRAM, "predict", model, picture]
        turns = {name: partial(seconds_of, *command) for name, command in commands.items()}
        seconds = take_turns(rounds, turns)

    def row(name: str, max_seconds: float, baseline: str, note: str = "") -> Row:
        return Row(
            f"`fmnist {name}`{note}",
            seconds[name],
            "s",
            statistic="best",
            baseline=(baseline, seconds[baseline]),
            bars={"≤": max_seconds},
        )

    yield row("--help", MAX_HELP, "an empty Python")
    for name in COMMANDS:
        yield row(f"{name} --help", MAX_COMMAND_HELP, "an empty Python")
    yield row("predict model.onnx one.png", MAX_ONNX, "import onnxruntime")
    limit = TORCH_FACTOR * min(seconds["import torch"]) + TORCH_SUMMAND
    note = f" (target: {TORCH_FACTOR} × `import torch` + {TORCH_SUMMAND} s)"
    yield row("predict model.pt one.png", limit, "import torch", note)


if __name__ == "__main__":
    run(measure)
