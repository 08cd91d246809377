"""Command-line options derived from the declarations in `fmnist_cli.training.options`."""

import inspect
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Annotated, Any

import typer

from fmnist_cli.training.options import GROUPS, OPTIONS, Option
from fmnist_cli.training.recipes import shown_default


def typer_option(declared: Option, default: str = "", group: str | None = None) -> Any:
    """Typer's form of a declared option; its help ends with `default`, if that is given."""
    names = [declared.flag, *([declared.short] if declared.short else [])]
    if declared.type is bool:
        names = [f"{declared.flag}/--no-{declared.flag.removeprefix('--')}"]
    return typer.Option(
        *names,
        help=declared.help + (f" (default: {default})" if default else ""),
        show_default=False,
        metavar=declared.metavar,
        envvar=declared.env,
        parser=_reader(declared.parse),
        rich_help_panel=group,
    )


def _reader(parse: Callable[[str], Any] | None) -> Callable[[Any], Any] | None:
    """Let Typer name the option in what `parse` raises; a config file may hold a number."""
    if parse is None:
        return None

    def read(value: Any) -> Any:
        try:
            return parse(str(value))
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None

    return read


def takes_config(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command an option for each field of `TrainConfig`.

    The command receives those that the user has set as its first argument, a dict by field name.
    """
    repeatable = {name: each.repeatable for name, each in OPTIONS.items() if each.repeatable}

    @wraps(command)
    def with_config(**values: Any) -> None:
        given = {name: values.pop(name) for name in OPTIONS}
        for name, joint in repeatable.items():
            given[name] = joint.join(given[name]) if given[name] else None
        command({name: value for name, value in given.items() if value is not None}, **values)

    _first, *own = inspect.signature(command).parameters.values()
    derived = [
        parameter(
            declared.name,
            Annotated[
                _typer_type(declared) | None,
                typer_option(
                    replace(declared, help=declared.help + declared.train_help),
                    shown_default(declared.name),
                    declared.group,
                ),
            ],
        )
        for declared in OPTIONS.values()
    ]
    set_parameters(with_config, sorted([*derived, *own], key=_group))
    return with_config


def _typer_type(declared: Option) -> Any:
    """Typer has no unions; a parser returns the declared type by itself."""
    if declared.repeatable:
        return list[str]
    return declared.type if declared.parse is None else Any


def parameter(name: str, annotation: Any, default: object = None) -> inspect.Parameter:
    """A parameter of the kind that `set_parameters` takes."""
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, default=default, annotation=annotation)


def set_parameters(command: Callable[..., None], parameters: list[inspect.Parameter]) -> None:
    """Set the parameters from which Typer makes a command's options."""
    keyword_only = [item.replace(kind=inspect.Parameter.KEYWORD_ONLY) for item in parameters]
    # Typer takes the order from the signature and the types from the annotations.
    command.__signature__ = inspect.Signature(keyword_only)  # type: ignore[attr-defined]
    command.__annotations__ = {item.name: item.annotation for item in keyword_only}


def _group(parameter: inspect.Parameter) -> int:
    """Place of an option's group in the help; those of no group come last."""
    [info] = parameter.annotation.__metadata__
    panel = info.rich_help_panel
    return GROUPS.index(panel) if panel in GROUPS else len(GROUPS)
