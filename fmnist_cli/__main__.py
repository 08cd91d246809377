"""Entry point of `fmnist` and of `python -m fmnist_cli`."""

import os
import sys
from typing import NoReturn


def prepare_environment() -> None:
    """Set what torch's libraries read when they are loaded; what the user has set stays."""
    # Threads sleep, not spin, while they wait for each other, and so give the core to whoever needs
    # it. Spinning makes a step many times slower on a busy machine.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # Tensors take their memory in huge pages, where the kernel lends them on request.
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")


def main() -> NoReturn:
    """Run the command line and exit with one of the documented codes."""
    prepare_environment()
    from fmnist_cli.cli.exits import run

    sys.exit(run())


if __name__ == "__main__":
    main()
