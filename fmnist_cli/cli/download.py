"""`fmnist download`: fetch the official files into the data folder."""

from typing import Annotated

import typer

from fmnist_cli.cli import console
from fmnist_cli.cli.options import DataDirOption, MirrorOption, TableOrJson
from fmnist_cli.cli.progress import download_progress
from fmnist_cli.constants import FILES
from fmnist_cli.errors import UsageError


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
