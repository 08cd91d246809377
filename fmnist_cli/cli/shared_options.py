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
from fmnist_cli.cli.decoders import hush_libraries
from fmnist_cli.errors import did_you_mean

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

_MAX_CONFIG_BYTES: Final = 100_000
"""Far more than all options take."""
_MAX_DOTS: Final = 200
"""In a line: the parser's time grows with the square of a dotted key's length."""

_SHARED = {"config": ConfigOption, "quiet": QuietOption, "verbose": VerboseOption}
_DEFAULTS: dict[str, Any] = {"config": None, "quiet": False, "verbose": False}


def everywhere(command: Callable[..., None]) -> Callable[..., None]:
    """Add --config, --quiet and --verbose to a command."""

    @wraps(command)
    def with_shared(**values: Any) -> None:
        shared = {name: values.pop(name) for name in _SHARED}
        console.set_verbosity(quiet=shared["quiet"], verbose=shared["verbose"])
        hush_libraries()
        console.show_library_notes()
        try:
            command(**values)
            sys.stdout.flush()
        except BrokenPipeError:  # Typer would make an exit code of its own of it
            raise console.PipeClosedError from None

    signature = inspect.signature(command)
    added = [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=_DEFAULTS[name], annotation=annotation
        )
        for name, annotation in _SHARED.items()
    ]
    own = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for parameter in signature.parameters.values()
    ]
    # Typer reads both: the signature for the order, the annotations for the types.
    with_shared.__signature__ = signature.replace(parameters=[*own, *added])  # type: ignore[attr-defined]
    with_shared.__annotations__ = {**command.__annotations__, **_SHARED}
    return with_shared


def _read_config(ctx: typer.Context, path: Path | None) -> Path | None:
    """Make the file's entries the defaults of the options that the command line leaves out."""
    if path is None or ctx.resilient_parsing:
        return path
    try:
        document = tomllib.loads(_read(path))
    except FileNotFoundError:
        from fmnist_cli.errors import MissingInput

        raise MissingInput(f"no config file at '{path}'") from None
    except (OSError, ValueError, RecursionError) as error:  # ValueError: no UTF-8, no TOML
        from fmnist_cli.errors import DataError

        raise DataError(
            f"'{path}' is not a TOML file that can be read: {_one_line(error)}\n"
            "expected options by their long names, such as epochs = 20"
        ) from None
    ctx.default_map = {**(ctx.default_map or {}), **_by_parameter(ctx, path, document)}
    return path


def _read(path: Path) -> str:
    with path.open("rb") as file:
        content = file.read(_MAX_CONFIG_BYTES + 1)
    if len(content) > _MAX_CONFIG_BYTES:
        raise ValueError(f"it has more than {_MAX_CONFIG_BYTES:,} bytes")
    text = content.decode("utf-8")
    if any(line.count(".") > _MAX_DOTS for line in text.split("\n")):
        raise ValueError("a key in it has too many parts")
    return text


def _one_line(error: Exception) -> str:
    """What an error says, as far as a line has room for it."""
    return " ".join(str(error).split())[:200]


def _by_parameter(ctx: typer.Context, path: Path, document: dict[str, Any]) -> dict[str, Any]:
    """Translate long option names into parameter names; unknown names are refused."""
    names = {
        option.removeprefix("--"): parameter.name
        for parameter in ctx.command.params
        for option in parameter.opts
        if option.startswith("--") and parameter.name
    }
    values = {}
    for key, value in document.items():
        for word in (key, *(value if isinstance(value, list) else [value])):
            console.escape_in_errors(str(word))
        if isinstance(value, dict):
            raise typer.BadParameter(
                f"'{path}': '{key}' is a table; expected options, such as epochs = 20"
            )
        if key not in names or key == "config":
            hint = did_you_mean(key, names)
            raise typer.BadParameter(
                f"'{path}' names '{key}', which is no option of {ctx.command_path}{hint}"
            )
        takes_many = _takes_many(ctx, names[key])
        if isinstance(value, list) and not takes_many:
            value = ",".join(str(item) for item in value)
        elif takes_many and not isinstance(value, list):
            value = [value]
        values[names[key]] = value
    return values


def _takes_many(ctx: typer.Context, name: str) -> bool:
    return any(p.name == name and getattr(p, "multiple", False) for p in ctx.command.params)
