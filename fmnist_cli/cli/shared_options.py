"""Options that every command takes, added to its signature in one place."""

import inspect
import sys
import tomllib
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from fmnist_cli.cli import console
from fmnist_cli.cli.config_options import parameter, set_parameters
from fmnist_cli.errors import DataError, MissingInput, did_you_mean

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        is_eager=True,
        callback=lambda ctx, value: _read_config(ctx, value),
        help="TOML file of options by their long names; the command line wins.",
        metavar="FILE",
        show_default=False,
    ),
]
QuietOption = Annotated[
    bool, typer.Option("--quiet", "-q", help="Only warnings and errors on stderr.")
]
VerboseOption = Annotated[bool, typer.Option("--verbose", "-v", help="Show more detail on stderr.")]

_SHARED: Final = (
    parameter("config", ConfigOption),
    parameter("quiet", QuietOption, default=False),
    parameter("verbose", VerboseOption, default=False),
)

_MAX_CONFIG_LENGTH: Final = 100_000
"""Far more than all options take."""
_MAX_DOTS: Final = 200
"""In a line: the parser's time grows with the square of a dotted key's length."""


def everywhere(command: Callable[..., None]) -> Callable[..., None]:
    """Add --config, --quiet and --verbose to a command."""

    @wraps(command)
    def with_shared(*, quiet: bool, verbose: bool, **values: Any) -> None:
        del values["config"]  # read by its callback
        console.set_verbosity(quiet=quiet, verbose=verbose)
        console.show_library_notes()
        try:
            command(**values)
            sys.stdout.flush()
        except BrokenPipeError:  # Typer would make an exit code of its own of it
            raise console.PipeClosedError from None

    set_parameters(with_shared, [*inspect.signature(command).parameters.values(), *_SHARED])
    return with_shared


def _read_config(ctx: typer.Context, path: Path | None) -> Path | None:
    """Make the file's entries the defaults of the options that the command line leaves out."""
    if path is None or ctx.resilient_parsing:
        return path
    try:
        document = tomllib.loads(_read_bounded(path))
    except FileNotFoundError:
        raise MissingInput(f"no config file at '{path}'") from None
    except (OSError, ValueError, RecursionError) as error:  # ValueError: no UTF-8, no TOML
        reason = " ".join(str(error).split())[:200]
        raise DataError(
            f"'{path}' is not a TOML file that can be read: {reason}\n"
            "expected options by their long names, such as epochs = 20"
        ) from None
    ctx.default_map = {**(ctx.default_map or {}), **_by_parameter(ctx, path, document)}
    return path


def _read_bounded(path: Path) -> str:
    """The text of a config file. Raises ValueError if it would keep the parser busy."""
    with path.open(encoding="utf-8") as file:
        text = file.read(_MAX_CONFIG_LENGTH + 1)
    if len(text) > _MAX_CONFIG_LENGTH:
        raise ValueError(f"it has more than {_MAX_CONFIG_LENGTH:,} characters")
    if any(line.count(".") > _MAX_DOTS for line in text.split("\n")):
        raise ValueError("a key in it has too many parts")
    return text


def _by_parameter(ctx: typer.Context, path: Path, document: dict[str, Any]) -> dict[str, Any]:
    """Translate long option names into parameter names; unknown names are refused."""
    options: dict[str, Any] = {
        name.removeprefix("--"): option
        for option in ctx.command.params
        for name in option.opts
        if name.startswith("--")
    }
    values = {}
    for key, value in document.items():
        if isinstance(value, dict):
            raise typer.BadParameter(
                f"'{path}': '{key}' is a table; expected options, such as epochs = 20"
            )
        if key not in options or key == "config":
            hint = did_you_mean(key, options)
            raise typer.BadParameter(
                f"'{path}' names '{key}', which is no option of {ctx.command_path}{hint}"
            )
        option = options[key]
        if isinstance(value, list) and not option.multiple:
            value = ",".join(str(item) for item in value)
        elif option.multiple and not isinstance(value, list):
            value = [value]
        values[option.name] = value
    return values
