"""Records when each backward pass of a process ends; active if this folder is on PYTHONPATH.

Every tool that trains with torch calls `torch.autograd.backward` once per step, so one hook times
all of them alike. Times are CLOCK_MONOTONIC in seconds, which all processes of a machine share;
when the process ends, they go as a JSON list to the file PEERS_STEPS. PEERS_MAX_STEPS ends the
process after that many steps.
"""

import atexit
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

MAX_STEPS = int(os.environ.get("PEERS_MAX_STEPS", "0"))
steps: list[float] = []


class Observer(MetaPathFinder):
    """Waits for `torch.autograd`, so that torch is imported only when the tool imports it."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find this one module only, and wrap its `backward` when it has been executed."""
        if name != "torch.autograd":
            return None
        spec = PathFinder.find_spec(name, path, target)
        assert spec is not None
        loader: Any = spec.loader
        execute = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            # Not earlier: exit handlers run in reverse order, and one that a program registers at
            # its start may end the process.
            atexit.register(write, os.environ["PEERS_STEPS"], os.getpid())
            execute(module)
            module.__dict__["backward"] = timed(module.__dict__["backward"])

        loader.exec_module = exec_module
        return spec


def timed(backward: Callable[..., None]) -> Callable[..., None]:
    """The function, which records when it ends."""

    def wrapper(*arguments: Any, **options: Any) -> None:
        backward(*arguments, **options)
        steps.append(time.monotonic())
        if len(steps) == MAX_STEPS:
            write(os.environ["PEERS_STEPS"], os.getpid())
            os._exit(0)

    return wrapper


def write(path: str, process: int) -> None:
    """Write the times, unless this is a forked worker."""
    if steps and os.getpid() == process:
        with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123 - no import of pathlib
            json.dump(steps, file)


if "PEERS_STEPS" in os.environ:
    sys.meta_path.insert(0, Observer())
