"""Download every official file from every mirror, and report which deliver and how fast.

    python -m benchmarks.check_mirrors [MIRROR ...]

Without arguments all mirrors of the package are tried, about 30 MB from each over the network.
Exits with 1 if one of them does not deliver all of the files.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from fmnist_cli.constants import FILES, MIRRORS, DataFile
from fmnist_cli.data.download import MirrorError, deliver


def check(mirror: str, file: DataFile) -> bool:
    """Download one file from one mirror and print a line; returns whether it was delivered."""
    started_at = time.perf_counter()
    with TemporaryDirectory() as folder:
        try:
            deliver(file, mirror, Path(folder) / file.name)
        except MirrorError as fault:
            print(f"  FAILED  {file.name}: {fault}")
            return False
    seconds = time.perf_counter() - started_at
    speed = file.size_bytes / seconds / 1e6
    print(f"  ok      {file.name}: {seconds:.2f} s, {speed:.1f} MB/s, SHA-256 verified")
    return True


def main(arguments: Sequence[str]) -> int:
    """Check the given mirrors, or all of the package."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("mirrors", nargs="*", metavar="MIRROR", default=MIRRORS)
    outcomes = []
    for mirror in parser.parse_args(arguments).mirrors:
        print(mirror)
        outcomes += [check(mirror, file) for files in FILES.values() for file in files]
    return 0 if all(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
