"""Write the table of training options in docs/training.md: `python -m benchmarks.options`."""

from pathlib import Path

from benchmarks.report import edit_part
from fmnist_cli.training.options import GROUPS, OPTIONS, Option
from fmnist_cli.training.recipes import shown_default

PAGE = Path(__file__).parents[1] / "docs/training.md"


def updated(page: str) -> str:
    """The page with a table of a row per option, in the order of `--help`."""
    rows = sorted(OPTIONS.values(), key=lambda option: GROUPS.index(option.group))
    lines = ["| option | meaning | default |", "|---|---|---|", *map(_row, rows)]
    return edit_part(page, "options", lambda _: "\n".join(lines))


def _row(option: Option) -> str:
    names = f"`{option.short}`, " if option.short else ""
    value = "\\|".join(option.choices) or (option.metavar or "").replace("|", "\\|")
    default = shown_default(option.name)
    meaning = option.help + option.train_help
    return f"| {names}`{option.flag}{f' {value}' if value else ''}` | {meaning} | {default} |"


if __name__ == "__main__":
    PAGE.write_text(updated(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
