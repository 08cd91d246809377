"""Time until a command shows something: whole processes, best of several rounds.

    python -m benchmarks.start [--rounds 10]

`predict` classifies one PNG file with the default recipe's network.
"""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.program import PROGRAM, official, timed, write_models, write_pngs
from benchmarks.report import Row, run

MAX_HELP, MAX_COMMAND_HELP, MAX_ONNX = 0.20, 0.25, 0.9
TORCH_FACTOR, TORCH_SUMMAND = 1.3, 0.4
COMMANDS = ("compare", "download", "evaluate", "export-onnx", "info", "predict", "show", "train")


def measure(*, rounds: int = 10) -> Iterator[Row]:
    """Run each command once per round."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        model, exported = write_models("default", folder)
        picture = write_pngs(official("test").images[:1], folder / "in") / "000000.png"
        commands: dict[str, list[str | Path]] = {
            text: [sys.executable, "-c", text]
            for text in ("pass", "import onnxruntime", "import torch")
        }
        commands |= {f"{name} --help": [PROGRAM, name, "--help"] for name in COMMANDS}
        commands |= {
            "--help": [PROGRAM, "--help"],
            "predict model.onnx one.png": [PROGRAM, "predict", exported, picture],
            "predict model.pt one.png": [PROGRAM, "predict", model, picture],
        }
        best = dict.fromkeys(commands, float("inf"))
        for _round in range(rounds):
            for name, command in commands.items():
                best[name] = min(best[name], timed(*command, cwd=folder).seconds)

    def row(name: str, at_most: float, baseline: str, note: str = "") -> Row:
        return Row(
            f"`fmnist {name}`{note}",
            best[name],
            "s",
            n=rounds,
            statistic="best",
            baseline=best[baseline],
            against="an empty Python" if baseline == "pass" else baseline,
            at_most=at_most,
        )

    yield row("--help", MAX_HELP, "pass")
    for name in COMMANDS:
        yield row(f"{name} --help", MAX_COMMAND_HELP, "pass")
    yield row("predict model.onnx one.png", MAX_ONNX, "import onnxruntime")
    limit = TORCH_FACTOR * best["import torch"] + TORCH_SUMMAND
    note = f" (target: {TORCH_FACTOR} × `import torch` + {TORCH_SUMMAND} s)"
    yield row("predict model.pt one.png", limit, "import torch", note)


if __name__ == "__main__":
    run(measure)
