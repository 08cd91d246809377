"""Fresh virtual environments."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path


class Environment:
    """A new virtual environment, in which programs are found before those of this machine."""

    def __init__(self, home: Path) -> None:
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
        self.home = home
        scripts = sysconfig.get_path("scripts", "venv", {"base": str(home)})
        self.variables = {
            name: value for name, value in os.environ.items() if not name.startswith("PYTHON")
        }
        self.variables["PATH"] = f"{scripts}{os.pathsep}{self.variables['PATH']}"

    def call(self, *words: str, cwd: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
        """Run a program to its end."""
        return subprocess.run(
            words,
            cwd=cwd,
            env={**self.variables, **variables},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )

    def run(self, *words: str, cwd: Path, **variables: str) -> str:
        """Run a program that has to succeed; returns its stdout."""
        done = self.call(*words, cwd=cwd, **variables)
        assert done.returncode == 0, (words, done.stderr)
        return done.stdout
