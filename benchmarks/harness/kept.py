"""Figures kept in a file, so that several calls do the whole."""

import json
from pathlib import Path
from typing import Any


class Kept:
    """What was found so far, by name; the file holds it as JSON."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.found: dict[str, dict[str, Any]] = {}
        if path.exists():
            self.found = json.loads(path.read_text(encoding="utf-8"))

    def keep(self, name: str, figures: dict[str, Any]) -> None:
        """Add figures and write the file, with its folder where there is none."""
        self.found[name] = figures
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(json.dumps(self.found, indent=2) + "\n", encoding="utf-8")

    def of(self, prefix: str) -> list[dict[str, Any]]:
        """All figures whose name begins so, in order."""
        return [figures for name, figures in self.found.items() if name.startswith(prefix)]
