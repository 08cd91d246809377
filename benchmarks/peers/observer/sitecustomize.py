"""Records when each backward pass of a process ends; active if this folder is on PYTHONPATH.

Every tool that trains with torch calls `torch.autograd.backward` once per step, so one hook times
all of them alike. Times are CLOCK_MONOTONIC in seconds, which all processes of a machine share;
when the process ends, they go as a JSON list to the file PEERS_STEPS. PEERS_MAX_STEPS ends the
process after that many steps.
"""

import atexit
import builtins
import json
import os
import sys
import time
from typing import Any

MAX_STEPS = int(os.environ.get("PEERS_MAX_STEPS", "0"))
steps: list[float] = []
plain_import = builtins.__import__


def observe(*arguments: Any, **options: Any) -> Any:
    """Import, and wrap `backward` as soon as the tool has imported `torch.autograd`."""
    module = plain_import(*arguments, **options)
    autograd: Any = sys.modules.get("torch.autograd")
    if hasattr(autograd, "backward") and builtins.__import__ is observe:  # imports are nested
        builtins.__import__ = plain_import
        # Not earlier: exit handlers run in reverse order, and one that a program registers at its
        # start may end the process.
        atexit.register(write, os.environ["PEERS_STEPS"], os.getpid())
        backward = autograd.backward

        def timed(*arguments: Any, **options: Any) -> None:
            backward(*arguments, **options)
            steps.append(time.monotonic())
            if len(steps) == MAX_STEPS:
                write(os.environ["PEERS_STEPS"], os.getpid())
                os._exit(0)

        autograd.backward = timed
    return module


def write(path: str, process: int) -> None:
    """Write the times, unless this is a forked worker."""
    if steps and os.getpid() == process:
        with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123 - no import of pathlib
            json.dump(steps, file)


if "PEERS_STEPS" in os.environ:
    builtins.__import__ = observe
