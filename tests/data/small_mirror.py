"""Official files of 200 kB each, for downloads that are to happen, or to fail, many times."""

import hashlib
from dataclasses import replace
from random import Random
from typing import Final

from fmnist_cli.constants import FILES

CONTENTS: Final = {
    file.name: b"\x1f\x8b" + Random(number).randbytes(200_000)
    for number, file in enumerate(file for files in FILES.values() for file in files)
}
SMALL: Final = {
    split: tuple(
        replace(file, size_bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
        for file in files
        for content in [CONTENTS[file.name]]
    )
    for split, files in FILES.items()
}


def use_small_files() -> None:
    """Let this process take these for the official files, from no mirror but the given ones."""
    from fmnist_cli.data import download

    vars(download).update(FILES=SMALL, MIRRORS=())
