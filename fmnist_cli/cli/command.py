"""A command as Typer takes it, with the options that every command has."""

import inspect
import sys
import time
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from fmnist_cli.cli import console
from fmnist_cli.cli.options import OptionGroup
from fmnist_cli.errors import DataError, MissingInput, did_you_mean

_MAX_CONFIG_LENGTH: Final = 100_000
"""Far more than all options take."""
_MAX_DOTS: Final = 200
"""In a line: the parser's time grows with the square of a dotted key's length."""


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
    with path.open(encoding="utf-8-sig") as file:
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
        if isinstance(value, bool) and not option.is_flag:
            raise typer.BadParameter(f"'{path}': '{key}' takes a value, not {str(value).lower()}")
        if isinstance(value, list) and not option.multiple:
            value = ",".join(str(item) for item in value)
        elif option.multiple and not isinstance(value, list):
            value = [value]
        values[option.name] = value
    return values


@dataclass(frozen=True, slots=True)
class SharedOptions(OptionGroup):
    """Options of every command."""

    config: Annotated[
        Path | None,
        typer.Option(
            is_eager=True,
            callback=_read_config,
            help="TOML file of options by their long names; the command line wins.",
            metavar="FILE",
        ),
    ] = None
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Only warnings and errors on stderr.")
    ] = False
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show more detail on stderr.")
    ] = False


def as_command(function: Callable[..., None]) -> Callable[..., None]:
    """Replace a function's option groups by their options, and add `SharedOptions`."""
    own = inspect.signature(function).parameters
    groups = {
        name: parameter.annotation
        for name, parameter in own.items()
        if isinstance(parameter.annotation, type) and issubclass(parameter.annotation, OptionGroup)
    }

    @wraps(function)
    def command(**values: Any) -> None:
        def take(group: type[OptionGroup]) -> Any:
            return group(**{name: values.pop(name) for name in group.options()})

        shared = take(SharedOptions)
        console.set_verbosity(quiet=shared.quiet, verbose=shared.verbose)
        console.show_library_notes()
        values |= {name: take(group) for name, group in groups.items()}
        started_at = time.perf_counter()
        try:
            with console.only_results():
                function(**values)
            sys.stdout.flush()
            console.detail(f"finished in {time.perf_counter() - started_at:.1f} s")
        except BrokenPipeError:  # Typer would turn it into an exit code of its own
            raise console.PipeClosedError from None

    expanded: dict[str, inspect.Parameter] = {}
    for name, parameter in own.items():
        expanded |= groups[name].options() if name in groups else {name: parameter}
    expanded |= SharedOptions.options()
    options = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in expanded.values()]
    # Typer takes the order from the signature and the types from the annotations.
    command.__signature__ = inspect.Signature(options)  # type: ignore[attr-defined]
    command.__annotations__ = {option.name: option.annotation for option in options}
    return command
