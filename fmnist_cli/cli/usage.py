"""Messages for wrong usage: Typer's own, followed by what to do instead."""

import re
import shlex
from difflib import get_close_matches
from pathlib import Path
from typing import Final

import typer

from fmnist_cli.pretrained import FILE, NAME

_OPTIONS_ELSEWHERE: Final = {
    "--amp": "--precision",
    "--arch": "--model",
    "--batch": "--batch-size",
    "--bs": "--batch-size",
    "--dataset": "--data",
    "--dtype": "--precision",
    "--gpu": "--device",
    "--gpus": "--nproc",
    "--learning-rate": "--lr",
    "--lr0": "--lr",
    "--num-workers": "--workers",
    "--out": "--output",
    "--patience": "--early-stop",
    "--pretrained": "--weights",
    "--wd": "--weight-decay",
}
_MODEL_SUFFIXES: Final = {"", ".ckpt", ".onnx", ".pt", ".pth", ".safetensors", ".tar"}
_COMMANDS_ELSEWHERE: Final = {
    "classify": "predict",
    "eval": "evaluate",
    "fit": "train",
    "infer": "predict",
    "score": "evaluate",
    "test": "evaluate",
    "val": "evaluate",
    "validate": "evaluate",
}
"""Names in other programs that are spelled too differently for Typer to suggest ours."""


def explain(error: typer.TyperException) -> str:
    """What was wrong, and in further lines what was expected and the command that helps."""
    message = error.format_message().replace("Value error, ", "")
    context: typer.Context | None = getattr(error, "ctx", None)
    lines = [message + _suggestion(message, context)]
    if context is not None and (hint := _no_input(message, context)):
        lines.append(hint)
    elif context is not None and re.match(r"Got unexpected extra|Missing argument", message):
        lines.append(" ".join(context.get_usage().split()))
    lines.append(f"Try '{context.command_path if context else 'fmnist'} --help'.")
    return "\n".join(lines)


def _suggestion(message: str, context: typer.Context | None) -> str:
    """What was probably meant, if Typer does not suggest it."""
    if match := re.fullmatch(r"No such option: (--[\w-]+)", message):
        meant = _OPTIONS_ELSEWHERE.get(match[1])
        known = (
            [name for option in context.command.params for name in option.opts] if context else []
        )
        return f" (here: {meant})" if meant in known else ""
    if match := re.fullmatch(r"No such command '(.*)'\.", message):
        meant = _COMMANDS_ELSEWHERE.get(match[1].lower())
        return f" Did you mean '{meant}'?" if meant else ""
    if match := re.search(r"'([^']*)' is not one of (.*)\.$", message):
        choices = re.findall(r"'([^']*)'", match[2])
        near = get_close_matches(match[1].lower(), choices, n=1, cutoff=0.5)
        return f" Did you mean '{near[0]}'?" if near else ""
    return ""


def _no_input(message: str, context: typer.Context) -> str:
    """What `predict` without an input was probably meant to be; empty if there is no telling."""
    if message == "Missing argument 'INPUT'." and context.params.get("stdin_image"):
        return "- stands for standard input: fmnist predict MODEL --stdin-image -"
    given = context.params.get("model")
    if message != "Missing argument 'INPUT'." or not isinstance(given, Path) or given == FILE:
        return ""
    is_file = given.is_file() and given.suffix.lower() not in _MODEL_SUFFIXES
    if not is_file and not given.is_dir():
        return ""
    return f"no model given; the packaged one: fmnist predict {NAME} {shlex.quote(str(given))}"
