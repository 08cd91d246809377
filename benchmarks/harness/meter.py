"""Run a command and write what it cost.

    python meter.py FILE COMMAND [ARGUMENT ...]

A program of its own, and a small one: the kernel counts the memory of whoever starts a process
towards the peak of that process.
"""

import json
import os
import sys
import time


def main() -> int:
    """Run the command with this process's streams; gives its exit code."""
    target, *command = sys.argv[1:]
    started_at = time.perf_counter()
    pid = os.posix_spawnp(command[0], command, os.environ)
    _pid, status, usage = os.wait4(pid, 0)
    seconds = time.perf_counter() - started_at
    unit = 1 if sys.platform == "darwin" else 1024
    with open(target, "w", encoding="utf-8") as file:  # noqa: PTH123 - pathlib's import is dear here
        json.dump({"seconds": seconds, "peak_bytes": usage.ru_maxrss * unit}, file)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main())
