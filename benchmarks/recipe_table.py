"""Take the recipes' figures from RESULTS.md into the README's table.

    python -m benchmarks.recipe_table

Accuracy and time of a recipe that RESULTS.md has no section of stay as they are; parameters and
epochs come from the recipe itself.
"""

import re
from pathlib import Path
from typing import Final

from benchmarks.harness.results import RESULTS
from benchmarks.harness.rows import HEADER
from fmnist_cli import models
from fmnist_cli.checkpoints import checkpoint
from fmnist_cli.training.recipes import RECIPES

README: Final = Path(__file__).parents[1] / "README.md"
_RECIPE, _PARAMETERS, _EPOCHS, _ACCURACY, _TRAINING = range(5)
"""Columns of the table; a last one says what the recipe is for."""


def measured(recipe: str, results: str) -> tuple[str, str] | None:
    """Test accuracy with its n, and seconds of training, as the page of results has them."""
    found = {}
    for name in ("test accuracy", "training"):
        row = re.search(rf"^\| `{recipe}`: {name}\b.*$", results, re.MULTILINE)
        if row is None:
            return None
        cells = [cell.strip() for cell in row[0].strip("|").split(" | ")]
        found[name] = dict(zip(HEADER, cells, strict=True))
    n = found["test accuracy"]["n"]
    seeds = "1 seed" if n == "1" else n
    return f"{found['test accuracy']['here']}, {seeds}", found["training"]["here"]


def update(page: str, results: str) -> str:
    """The page with the table as the results and the recipes have it."""

    def renew(line: re.Match[str]) -> str:
        cells = [cell.strip() for cell in line[0].strip("|").split(" | ")]
        recipe = cells[_RECIPE].strip("`")
        options = RECIPES[recipe].options
        network = checkpoint.blank(options["model"], {})
        cells[_PARAMETERS] = f"{models.count_parameters(network):,}"
        cells[_EPOCHS] = str(options["epochs"])
        figures = measured(recipe, results)
        if figures is not None:
            cells[_ACCURACY], cells[_TRAINING] = figures
        return f"| {' | '.join(cells)} |"

    return re.sub(rf"^\| `(?:{'|'.join(RECIPES)})` \|.*$", renew, page, flags=re.MULTILINE)


def main() -> None:
    """Rewrite the README's table."""
    page = README.read_text(encoding="utf-8")
    README.write_text(update(page, RESULTS.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
