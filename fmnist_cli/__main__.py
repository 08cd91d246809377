"""Entry point of `fmnist` and of `python -m fmnist_cli`."""

import os
import sys
from typing import NoReturn


def prepare_environment() -> None:
    """Set what torch's libraries read when they are loaded; what the user has set stays."""
    # Threads that wait for each other spin for a moment and then sleep. GNU OpenMP's own choice, to
    # spin for long, makes a step many times slower where another process wants the core; not to
    # spin at all makes it a fifth slower where none does.
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")
    # Tensors take their memory in huge pages, where the kernel lends them on request.
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")


def main() -> NoReturn:
    """Run the command line and exit with one of the documented codes."""
    prepare_environment()
    from fmnist_cli.cli.exits import PIPE_CLOSED, run

    code = run()
    if code == PIPE_CLOSED:
        # Nobody reads on; an orderly end would keep `| head` waiting while torch is taken down.
        os._exit(code)
    sys.exit(code)


if __name__ == "__main__":
    main()
