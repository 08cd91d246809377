"""Notes when each backward pass of a process ends; at work where this folder is on PYTHONPATH.

Every tool that trains with torch calls `torch.autograd.backward` once a step, so that one hook
times all of them alike without a change to any. Times are CLOCK_MONOTONIC, in seconds, which all
processes of a machine share; they go as a JSON list to the file that PEERS_STEPS names when the
process ends, which with PEERS_MAX_STEPS it does after so many.
"""

import atexit
import json
import os
import sys
import time
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

MAX_STEPS = int(os.environ.get("PEERS_MAX_STEPS", "0"))
steps: list[float] = []


class TimedLoader(Loader):
    """Loads `torch.autograd` as its own loader does, then puts the clock around `backward`."""

    def __init__(self, loader: Loader) -> None:
        self.loader = loader

    def exec_module(self, module: ModuleType) -> None:
        """Run the module and wrap its function."""
        # Not earlier: a program may end for good in what it registers when it starts, and what is
        # registered last is called first.
        atexit.register(write, os.environ["PEERS_STEPS"], os.getpid())
        self.loader.exec_module(module)
        backward = module.__dict__["backward"]

        def timed(*arguments: Any, **options: Any) -> None:
            backward(*arguments, **options)
            steps.append(time.monotonic())
            if len(steps) == MAX_STEPS:
                write(os.environ["PEERS_STEPS"], os.getpid())
                os._exit(0)

        module.__dict__["backward"] = timed


class Observer(MetaPathFinder):
    """Waits for `torch.autograd`, so that torch is loaded when the tool loads it and not before."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Answer for that one module only."""
        if name != "torch.autograd":
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = TimedLoader(spec.loader)
        return spec


def write(path: str, process: int) -> None:
    """Leave the times behind, unless this is a worker that was forked off."""
    if steps and os.getpid() == process:
        with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123 - keeps pathlib out
            json.dump(steps, file)


if "PEERS_STEPS" in os.environ:
    sys.meta_path.insert(0, Observer())
