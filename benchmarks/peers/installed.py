"""Tell what a distribution brings to the environment that runs this: `python installed.py NAME`.

Follows the requirements of the installed distributions, without extras. torch and torchvision and
what they bring are counted for nobody, since everybody here needs them.
"""

import json
import sys
from collections.abc import Iterator
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

NEEDED_BY_ALL: Final = ("torch", "torchvision")


def closure(*names: str) -> set[str]:
    """The canonical names of the distributions and of all that they require."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name not in found:
            found.add(name)
            waiting.extend(requirements(name))
    return found


def requirements(name: str) -> Iterator[str]:
    """Names that a distribution requires on this machine."""
    for text in metadata.requires(name) or ():
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield requirement.name


def size(name: str) -> int:
    """Bytes of a distribution's files, compiled Python left out."""
    distribution = metadata.distribution(name)
    recorded = [Path(str(file.locate())) for file in distribution.files or ()]
    if not any(path.suffix == ".py" for path in recorded):  # installed to be edited in place
        recorded += in_place(distribution)
    return sum(path.stat().st_size for path in recorded if path.is_file() and path.suffix != ".pyc")


def in_place(distribution: metadata.Distribution) -> Iterator[Path]:
    """Files of the packages that a distribution names, wherever they lie."""
    for package in (distribution.read_text("top_level.txt") or "").split():
        spec = find_spec(package)
        for folder in (spec and spec.submodule_search_locations) or ():
            yield from Path(folder).rglob("*")


def license_of(name: str) -> str:
    """Its license in a word or two."""
    about = metadata.metadata(name)
    return about["License-Expression"] or (about["License"] or "not stated").splitlines()[0]


def describe(name: str) -> dict[str, Any]:
    """The fields of `environment.Installed`."""
    brought = closure(name) - closure(*NEEDED_BY_ALL)
    return {
        "version": metadata.version(name),
        "license": license_of(name),
        "packages": len(brought),
        "bytes": sum(map(size, brought)),
    }


if __name__ == "__main__":
    print(json.dumps(describe(sys.argv[1])))
