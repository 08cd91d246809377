"""Tables: rich on a terminal, aligned plain text elsewhere."""

from collections.abc import Sequence

from fmnist_cli.cli import console
from fmnist_cli.cli.console import literal

Row = Sequence[str]


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


def show_table(header: Row, rows: Sequence[Row], *, text_columns: int = 1) -> None:
    """Print rows under a header; the first `text_columns` are left-aligned, the others right."""
    shown = [[literal(cell) for cell in row] for row in rows]
    if not console.out().is_terminal:
        _write_aligned([header, *shown], text_columns)
        return
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


def _write_aligned(rows: Sequence[Row], text_columns: int) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = (
            cell.ljust(width) if column < text_columns else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        console.result("  ".join(cells).rstrip())
