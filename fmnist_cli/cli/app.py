"""The Typer app with all commands."""

import sys
from typing import Annotated, Any

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup

from fmnist_cli.cli import console
from fmnist_cli.cli.command import as_command
from fmnist_cli.cli.compare import compare
from fmnist_cli.cli.download import download
from fmnist_cli.cli.evaluate import evaluate
from fmnist_cli.cli.export_onnx import export_onnx
from fmnist_cli.cli.info import info
from fmnist_cli.cli.predict import predict
from fmnist_cli.cli.runs import runs
from fmnist_cli.cli.serve import serve
from fmnist_cli.cli.show import show
from fmnist_cli.cli.train import train
from fmnist_cli.constants import VERSION
from fmnist_cli.errors import UsageError


def _without_types(parameters: list[Any]) -> list[Any]:
    """Drop type names that don't help a reader: `<bool>` of a flag, `<Path>` of MODEL."""
    for parameter in parameters:
        if isinstance(parameter, TyperArgument):
            parameter.display_type_rich = lambda ctx: None  # type: ignore[method-assign] # noqa: ARG005
        elif parameter.is_flag:
            parameter.metavar = ""
    return parameters


class _Command(TyperCommand):
    """A command whose help shows metavars instead of Python types."""

    def get_params(self, ctx: Any) -> list[Any]:
        return _without_types(super().get_params(ctx))


class _Group(TyperGroup):
    """The program itself, whose own flags default to False instead of None.

    Typer validates None with pydantic, whose import takes as long as the rest of
    `fmnist COMMAND --help`.
    """

    def get_params(self, ctx: Any) -> list[Any]:
        parameters = _without_types(super().get_params(ctx))
        for parameter in parameters:
            if parameter.default is None and getattr(parameter, "is_flag", False):
                parameter.default = False
        return parameters


app = typer.Typer(
    name="fmnist",
    cls=_Group,
    help="Train, evaluate and export Fashion-MNIST classifiers.",
    context_settings={"help_option_names": ["-h", "--help"]},
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    # Rich help on a terminal; in a pipe, plain text is easier to search.
    rich_markup_mode="rich" if console.is_drawn(sys.stdout) else None,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"fmnist {VERSION}\n")
        raise typer.Exit


@app.callback()
def fmnist(
    context: typer.Context,
    _version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_print_version, help="Show the version."),
    ] = False,
) -> None:
    """Train, evaluate and export Fashion-MNIST classifiers."""
    if context.invoked_subcommand is None:
        sys.stderr.write(context.get_help() + "\n")
        raise typer.Exit(UsageError.exit_code)


# In the order in which users need them.
for _command in (download, train, runs, evaluate, predict, export_onnx, serve, show, info, compare):
    app.command(cls=_Command)(as_command(_command))
