"""Entry point of `fmnist` and of `python -m fmnist_cli`."""

import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line and exit with one of the documented codes."""
    from fmnist_cli.cli.exits import run

    sys.exit(run())


if __name__ == "__main__":
    main()
