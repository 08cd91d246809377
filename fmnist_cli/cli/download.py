"""`fmnist download`: fetch the official files into the data folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from fmnist_cli.cli import console
from fmnist_cli.cli.options import DataDirOption, MirrorOption, TableOrJson
from fmnist_cli.constants import FILES
from fmnist_cli.errors import UsageError

if TYPE_CHECKING:
    from fmnist_cli.data.download import Track


def download(
    data_dir: DataDirOption = None,
    mirror: MirrorOption = None,
    force: Annotated[bool, typer.Option("--force", help="Replace existing files, too.")] = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="Only check the existing files by size and SHA-256.")
    ] = False,
    format_: TableOrJson = "table",
) -> None:
    """Fetch and verify the four official files. Prints their folder."""
    from fmnist_cli.data import download as files

    if verify and (force or mirror):
        raise UsageError("--verify downloads nothing; leave out --force and --mirror")
    folder = data_dir or files.default_folder()
    if verify:
        files.verify(folder)
    else:
        with download_progress() as track:
            files.fetch(folder, mirrors=mirror or (), force=force, track=track)
    if format_ == "json":
        listed = [
            {"name": file.name, "bytes": file.size_bytes, "sha256": file.sha256}
            for pair in FILES.values()
            for file in pair
        ]
        console.print_json({"folder": str(folder), "files": listed})
    else:
        console.result(folder)


@contextmanager
def download_progress() -> Iterator["Track"]:
    """Draw a bar per file on a terminal; elsewhere print one line per file."""
    if not console.is_live():
        announced = set()

        def announce(file_name: str, _done_bytes: int, total_bytes: int) -> None:
            if file_name not in announced:
                announced.add(file_name)
                console.note(f"fetching {file_name} ({total_bytes / 1e3:,.0f} kB)")

        yield announce
        return
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(compact=True),
    )
    with Progress(*columns, console=console.err()) as bar:
        tasks = {}

        def draw(file_name: str, done_bytes: int, total_bytes: int) -> None:
            if file_name not in tasks:
                tasks[file_name] = bar.add_task(file_name, total=total_bytes)
            bar.update(tasks[file_name], completed=done_bytes)

        yield draw
