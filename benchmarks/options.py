"""Write the table of training options in docs/training.md from their declarations.

python -m benchmarks.options
"""

import re
from pathlib import Path

from fmnist_cli.training.options import GROUPS, OPTIONS, Option
from fmnist_cli.training.recipes import shown_default

PAGE = Path(__file__).parents[1] / "docs/training.md"


def table() -> str:
    """A Markdown table with a row per option, in the order of `--help`."""
    rows = sorted(OPTIONS.values(), key=lambda option: GROUPS.index(option.group))
    lines = ["| option | meaning | default |", "|---|---|---|", *map(_row, rows)]
    return "\n".join(lines)


def updated(page: str) -> str:
    """The page with the table between its two marks."""
    return re.sub(
        r"(<!-- options: .*? -->\n).*?(<!-- end -->)",
        lambda marks: f"{marks[1]}\n{table()}\n\n{marks[2]}",
        page,
        flags=re.DOTALL,
    )


def _row(option: Option) -> str:
    names = f"`{option.short}`, " if option.short else ""
    value = "\\|".join(option.choices) or (option.metavar or "").replace("|", "\\|")
    default = shown_default(option.name)
    meaning = option.help + option.train_help
    return f"| {names}`{option.flag}{f' {value}' if value else ''}` | {meaning} | {default} |"


if __name__ == "__main__":
    PAGE.write_text(updated(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
