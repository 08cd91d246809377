"""Run a command as a user would, and tell how long it took and how much memory at most."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness import meter


@dataclass(frozen=True, slots=True)
class Finished:
    """What a command took and said."""

    seconds: float
    """Wall time from its start to its end."""
    peak_bytes: int
    """Most resident memory of the process; of its children, the largest alone."""
    stdout: str
    stderr: str


def timed(
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Finished:
    """Run a command to its end. Raises SystemExit with what it said where it fails."""
    with tempfile.TemporaryDirectory() as folder:
        cost = Path(folder) / "cost.json"
        done = subprocess.run(
            [sys.executable, "-I", "-S", meter.__file__, str(cost), *map(str, command)],
            cwd=cwd,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(
                f"{' '.join(map(str, command))} ended with {done.returncode}\n{done.stderr}"
            )
        found = json.loads(cost.read_text(encoding="utf-8"))
    return Finished(found["seconds"], found["peak_bytes"], done.stdout, done.stderr)
