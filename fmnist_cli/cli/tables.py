"""Tables: rich on a terminal, aligned plain text elsewhere."""

from collections.abc import Sequence
from typing import Final

from fmnist_cli.cli import console
from fmnist_cli.cli.console import literal

Row = Sequence[str]

_TEXT_WIDTH: Final = 16
"""Columns below which a folded text is hard to read."""
_GAP: Final = 3
"""Columns between two cells of a rich table."""


def with_interval(share: float, ci95: tuple[float, float] | None) -> str:
    """A share in percent, with its 95% interval if it has one."""
    if ci95 is None:
        return f"{share:.2%}"
    low, high = ci95
    return f"{share:.2%}, 95% interval {low:.2%} to {high:.2%}"


def points(difference: float, ci95: tuple[float, float] | None) -> str:
    """A difference of two shares in percentage points, with its 95% interval if it has one."""
    text = f"{100 * difference:+.2f} points"
    if ci95 is None:
        return text
    low, high = ci95
    return f"{text}, 95% interval {100 * low:+.2f} to {100 * high:+.2f}"


def show_facts(facts: Sequence[tuple[str, str]]) -> None:
    """Print one name and value per line."""
    shown = [(name, literal(value)) for name, value in facts]
    if not console.out().is_terminal:
        _write_aligned(shown, text_columns=2)
        return
    from rich.table import Table

    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in shown:
        grid.add_row(name, value)
    console.show(grid)


def show_table(
    header: Row, rows: Sequence[Row], *, text_columns: int = 1, dispensable: Sequence[str] = ()
) -> None:
    """Print rows under a header; the first `text_columns` are left-aligned, the others right.

    dispensable: columns that a narrow terminal leaves out, the first one first; a note names them.
    """
    shown = [[literal(cell) for cell in row] for row in rows]
    if not console.out().is_terminal:
        _write_aligned([header, *shown], text_columns)
        return
    left_out: list[str] = []
    for name in dispensable:
        if _least_width([header, *shown], text_columns) <= console.out().width:
            break
        if name in header:
            column = list(header).index(name)
            header, *shown = ([*row[:column], *row[column + 1 :]] for row in (header, *shown))
            text_columns -= column < text_columns
            left_out.append(name)
    if left_out:
        console.note(f"no room for: {', '.join(left_out)}; see --format csv, or a wider terminal")
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for position, name in enumerate(header):
        is_text = position < text_columns
        # On a narrow terminal texts are folded, numbers never.
        table.add_column(
            name, justify="left" if is_text else "right", overflow="fold", no_wrap=not is_text
        )
    for row in shown:
        table.add_row(*row)
    console.show(table)


def _widths(rows: Sequence[Row]) -> list[int]:
    """The cells of a terminal that each column takes: a Chinese character takes two."""
    from rich.cells import cell_len

    return [max(map(cell_len, column)) for column in zip(*rows, strict=True)]


def _least_width(rows: Sequence[Row], text_columns: int) -> int:
    """The width of a table whose texts are folded as far as is legible."""
    widths = _widths(rows)
    texts = (min(width, _TEXT_WIDTH) for width in widths[:text_columns])
    return sum(texts) + sum(widths[text_columns:]) + _GAP * (len(widths) - 1)


def _write_aligned(rows: Sequence[Row], text_columns: int) -> None:
    from rich.cells import cell_len

    widths = _widths(rows)
    for row in rows:
        spaces = [" " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True)]
        cells = (
            cell + space if column < text_columns else space + cell
            for column, (cell, space) in enumerate(zip(row, spaces, strict=True))
        )
        console.result("  ".join(cells).rstrip())
