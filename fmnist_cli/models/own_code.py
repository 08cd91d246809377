"""The code of a user's own network: `net.py:Net`, or `package.module:Net` if it is installed.

It is run only if the user names it.
"""

import contextlib
import hashlib
import importlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn

from fmnist_cli.errors import FmnistError, MissingInput, UsageError, did_you_mean
from fmnist_cli.files import sha256, similar_path


def is_own(name: str) -> bool:
    """Whether a name is that of a class in a file or module."""
    return ":" in name


def is_built_in_python(name: str) -> bool:
    """Whether no `--model` names this network: a container of torch's, or a program's own class."""
    module, _, qualified = name.rpartition(":")
    return module.partition(".")[0] in ("torch", "__main__") or "<locals>" in qualified


def digest(spec: str) -> str | None:
    """SHA-256 of the file that `FILE.py:CLASS` names; None for a module."""
    path = _file(spec)
    return sha256(path) if path is not None else None


def load_class(spec: str) -> Callable[..., Any]:
    """Run the file or import the module that `spec` names, and return its class.

    Raises MissingInput if there is no such file, UsageError if it fails or has no such class.
    """
    source, _, name = spec.rpartition(":")
    if not source or not name:
        raise UsageError(f"'{spec}' names no network; expected FILE.py:CLASS, such as net.py:Net")
    path = _file(spec)
    if path is not None and not path.is_file():
        raise MissingInput(
            f"no file at '{path}'{similar_path(str(path))}\n"
            "--model FILE.py:CLASS names a network in a file"
        )
    with own_code_errors(spec, f"'{source}' can't be run"):
        module = _import(source) if path is None else _run(path.resolve())
    found = getattr(module, name, None)
    if isinstance(found, nn.Module):
        raise UsageError(
            f"'{name}' in '{source}' is a network that is already built\n"
            f"expected its class or a function that builds it; it is a {type(found).__name__}"
        )
    if not callable(found):
        own = [
            other
            for other, value in vars(module).items()
            if isinstance(value, type) and issubclass(value, nn.Module)
            if value.__module__ == module.__name__ and not other.startswith("_")
        ]
        hint = did_you_mean(name, own)
        raise UsageError(
            f"'{source}' has no class '{name}'; its networks: {', '.join(own) or 'none'}{hint}"
        )
    return found  # type: ignore[no-any-return]


@contextlib.contextmanager
def own_code_errors(spec: str, message: str = "") -> Iterator[None]:
    """Raise UsageError, with the user's own part of the traceback, if their code fails.

    message: its first lines. By default, the with-block runs a network of any kind, and errors that
    were not raised by the user's file pass through.
    """
    try:
        yield
    except (FmnistError, BrokenPipeError):  # the latter: the reader of its prints has left
        raise
    except (Exception, SystemExit) as error:
        path = _file(spec)
        frames = [  # in the network's file, or beside it
            frame
            for frame in traceback.extract_tb(error.__traceback__ if path else None)
            if path and Path(frame.filename).resolve().is_relative_to(path.resolve().parent)
            if "site-packages" not in frame.filename and not frame.filename.startswith("<")
        ]
        if not message:
            if not frames or isinstance(error, SystemExit):
                raise
            message = f"'{spec.rpartition(':')[2]}' fails"
        elif isinstance(error, ModuleNotFoundError) and path is None:
            raise UsageError(f"no module '{error.name}'; --model takes FILE.py:CLASS too") from None
        lines = [*traceback.format_list(frames), *traceback.format_exception_only(error)]
        raise UsageError(f"{message}\n" + "".join(lines).rstrip()) from error


def _file(spec: str) -> Path | None:
    """The file that `FILE.py:CLASS` names; None for a module, and for a network by name."""
    source = spec.rpartition(":")[0]
    return Path(source) if source.endswith(".py") or os.sep in source else None


@cache
def _run(path: Path) -> ModuleType:
    """Run a file as a module; its neighbors can be imported."""
    name = f"{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    found = importlib.util.spec_from_file_location(name, path)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules[name] = module
    sys.path.insert(0, str(path.parent))
    try:
        found.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    finally:
        sys.path.remove(str(path.parent))
    sys.path.append(str(path.parent))  # for what its functions import when they run
    return module


def _import(name: str) -> ModuleType:
    """Import a module that is installed, or lies in the working directory."""
    sys.path.insert(0, str(Path.cwd()))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.pop(0)
