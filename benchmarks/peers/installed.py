"""Print what a distribution adds to the environment that runs this: `python installed.py NAME`.

Follows the requirements of installed distributions, without extras. Everybody needs torch and
torchvision here, so these and their requirements are not counted.
"""

import json
import sys
from collections.abc import Iterator
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def closure(*names: str) -> set[str]:
    """Canonical names of distributions and of everything that they require."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name not in found:
            found.add(name)
            for each in map(Requirement, metadata.requires(name) or ()):
                waiting += [each.name] * (not each.marker or each.marker.evaluate({"extra": ""}))
    return found


def files(name: str) -> Iterator[Path]:
    """Files of a distribution, wherever they are if it is installed in editable form."""
    distribution = metadata.distribution(name)
    recorded = [Path(str(file.locate())) for file in distribution.files or ()]
    yield from recorded
    if not any(path.suffix == ".py" for path in recorded):
        for package in (distribution.read_text("top_level.txt") or "").split():
            spec = find_spec(package)
            for folder in (spec and spec.submodule_search_locations) or ():
                yield from Path(folder).rglob("*")


if __name__ == "__main__":
    wanted = sys.argv[1]
    added = closure(wanted) - closure("torch", "torchvision")
    about = metadata.metadata(wanted)
    kept = [path for name in added for path in files(name) if path.is_file()]
    license_text = about["License-Expression"] or about["License"] or "not stated"
    document = {
        "version": metadata.version(wanted),
        "license": license_text.splitlines()[0],
        "packages": len(added),
        "bytes": sum(path.stat().st_size for path in kept if path.suffix != ".pyc"),
    }
    print(json.dumps(document))
