"""Run many commands of the installed program in one process, each as a process of its own would.

    python many_commands.py < '[["info", "model.pt"], ...]'

Prints a JSON list: exit code, stdout and stderr of each. Torch is loaded once for all of them.
"""

import json
import os
import sys
import tempfile
from importlib.metadata import entry_points


def run(arguments: list[str]) -> tuple[object, str, str]:
    """One command by the program's entry point, with files for its streams."""
    (program,) = entry_points(group="console_scripts", name="fmnist")
    sys.argv = ["fmnist", *arguments]
    streams = sys.stdout, sys.stderr
    code: object = None
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as out,
        tempfile.TemporaryFile("w+", encoding="utf-8") as err,
    ):
        sys.stdout, sys.stderr = out, err
        try:
            program.load()()
        except SystemExit as ending:
            code = ending.code
        finally:
            sys.stdout, sys.stderr = streams
        out.seek(0)
        err.seek(0)
        return code, out.read(), err.read()


if __name__ == "__main__":
    print(json.dumps([run(arguments) for arguments in json.load(sys.stdin)]), flush=True)
    os._exit(0)  # the program would end this process by its own last code
