"""Download every official file from every mirror, and report which deliver and how fast.

    python -m benchmarks.check_mirrors [MIRROR ...]

Without arguments all mirrors of the package are tried, about 30 MB from each over the network.
Exits with 1 if one of them does not deliver all of the files.
"""

import sys
import time

from benchmarks.program import scratch
from fmnist_cli.constants import FILES, MIRRORS, DataFile
from fmnist_cli.data.download import MirrorError, deliver


def check(mirror: str, file: DataFile) -> bool:
    """Download one file from one mirror and print a line; returns whether it was delivered."""
    started_at = time.perf_counter()
    with scratch() as folder:
        try:
            deliver(file, mirror, folder / file.name)
        except MirrorError as fault:
            print(f"FAILED  {mirror} {file.name}: {fault}")
            return False
    seconds = time.perf_counter() - started_at
    speed = file.size_bytes / seconds / 1e6
    print(f"ok      {mirror} {file.name}: {seconds:.2f} s, {speed:.1f} MB/s, SHA-256 verified")
    return True


if __name__ == "__main__":
    mirrors = sys.argv[1:] or MIRRORS
    files = [file for split in FILES.values() for file in split]
    outcomes = [check(mirror, file) for mirror in mirrors for file in files]
    sys.exit(0 if all(outcomes) else 1)
