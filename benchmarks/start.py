"""What a user waits for before a command shows something: whole processes, best of several rounds.

    python -m benchmarks.start [--rounds 10]

`predict` classifies one PNG file with a model of the default recipe's network.
"""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.fresh import network_of, write_both
from benchmarks.harness.commands import timed
from benchmarks.harness.rows import Row, parser, report
from benchmarks.program import PROGRAM

MOST_HELP = 0.20
MOST_COMMAND_HELP = 0.25
MOST_ONNX = 0.9
TORCH_FACTOR, TORCH_SUMMAND = 1.3, 0.4


def measure(rounds: int) -> Iterator[Row]:
    """Run each command once a round; yields a row a command."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        model, exported = write_both(network_of("default"), folder)
        picture = _write_picture(folder / "one.png")
        python: dict[str, list[str | Path]] = {
            name: [sys.executable, "-c", text]
            for name, text in (
                ("an empty Python", "pass"),
                ("import onnxruntime", "import onnxruntime"),
                ("import torch", "import torch"),
            )
        }
        helps: dict[str, list[str | Path]] = {
            f"fmnist {name} --help": [PROGRAM, name, "--help"] for name in _commands()
        }
        commands: dict[str, list[str | Path]] = {
            **python,
            "fmnist --help": [PROGRAM, "--help"],
            **helps,
            "predict .onnx": [PROGRAM, "predict", exported, picture],
            "predict .pt": [PROGRAM, "predict", model, picture],
        }
        best = dict.fromkeys(commands, float("inf"))
        for _round in range(rounds):
            for name, command in commands.items():
                best[name] = min(best[name], timed(command, cwd=folder).seconds)

    def row(name: str, what: str, against: str, at_most: float) -> Row:
        return Row(
            what=what,
            ours=best[name],
            unit="s",
            n=rounds,
            statistic="best",
            baseline=best[against],
            against=against,
            at_most=at_most,
        )

    yield row("fmnist --help", "`fmnist --help`", "an empty Python", MOST_HELP)
    for name in helps:
        yield row(name, f"`{name}`", "an empty Python", MOST_COMMAND_HELP)
    yield row(
        "predict .onnx", "`fmnist predict model.onnx one.png`", "import onnxruntime", MOST_ONNX
    )
    yield row(
        "predict .pt",
        f"`fmnist predict model.pt one.png` (bar: {TORCH_FACTOR} × `import torch` + "
        f"{TORCH_SUMMAND} s)",
        "import torch",
        TORCH_FACTOR * best["import torch"] + TORCH_SUMMAND,
    )


def _commands() -> list[str]:
    """Names of the program's commands."""
    import typer

    from fmnist_cli.cli.app import app

    return sorted(getattr(typer.main.get_command(app), "commands"))  # noqa: B009 - of a group alone


def _write_picture(path: Path) -> Path:
    from fmnist_cli.data import synthetic
    from fmnist_cli.data.pictures import write_png

    write_png(path, synthetic.draw(1, "test").images[0])
    return path


def main() -> int:
    """Print the rows; returns the exit code."""
    options = parser(__doc__)
    options.add_argument("--rounds", type=int, default=10)
    given = options.parse_args()
    return report(measure(given.rounds), given)


if __name__ == "__main__":
    sys.exit(main())
