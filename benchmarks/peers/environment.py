"""An environment of its own for each peer, which shares our torch instead of installing another."""

import json
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.peers.contestant import REQUIREMENTS

INSTALLED: Final = Path(__file__).with_name("installed.py")


@dataclass(frozen=True, slots=True)
class Installed:
    """A distribution and all that it brings, torch and torchvision with theirs left out."""

    version: str
    license: str
    packages: int
    bytes: int


def make(folder: Path, requirements: str) -> Path:
    """Make `folder` a virtual environment with the pinned packages; returns its folder of programs.

    What we run on is visible in it after its own packages. Does nothing where it stands already.
    """
    programs = folder / "bin"
    ready = folder / "ready"
    pinned = (REQUIREMENTS / requirements).read_text(encoding="utf-8")
    if ready.exists() and ready.read_text(encoding="utf-8") == pinned:
        return programs
    subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
    packages = next((folder / "lib").glob("python*")) / "site-packages"
    (packages / "shared.pth").write_text(sysconfig.get_paths()["purelib"] + "\n", encoding="utf-8")
    install: list[str | Path] = [programs / "pip", "install", "--quiet", "--no-deps"]
    subprocess.run([*install, "--requirement", REQUIREMENTS / requirements], check=True)
    ready.write_text(pinned, encoding="utf-8")
    return programs


def ours() -> Path:
    """The folder of programs that we run from."""
    return Path(sys.executable).parent


def inspect(programs: Path, distribution: str) -> Installed:
    """What is installed for a distribution in the environment of `programs`."""
    command: list[str | Path] = [programs / "python", INSTALLED, distribution]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return Installed(**json.loads(done.stdout))


def evaluate(programs: Path, module: str, expression: str) -> str:
    """What an expression about a module is worth in the environment of `programs`."""
    command: list[str | Path] = [programs / "python", "-c", f"import {module}; print({expression})"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
