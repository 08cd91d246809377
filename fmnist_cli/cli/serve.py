"""`fmnist serve`: a model behind HTTP, with a page."""

import subprocess
import sys
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Final

import typer

from fmnist_cli.cli import console
from fmnist_cli.cli.models_and_data import load_model
from fmnist_cli.cli.options import MODEL_HELP, LoadOptions
from fmnist_cli.cli.signals import grace
from fmnist_cli.errors import Unavailable
from fmnist_cli.pretrained import FILE as PRETRAINED_FILE
from fmnist_cli.pretrained import NAME as PRETRAINED
from fmnist_cli.pretrained import locate, name_of

_PACKAGES: Final = ("fastapi", "httptools", "python_multipart", "uvicorn")
_GRACE_SECONDS: Final = 9.5
"""More than the server takes to finish the requests in flight."""

ServedModelArgument = Annotated[
    Path,
    typer.Argument(metavar="MODEL", help=MODEL_HELP, parser=locate, show_default=PRETRAINED),
]
HostOption = Annotated[
    str,
    typer.Option(
        metavar="ADDRESS", help="Address to listen on; 0.0.0.0 for all of this machine's."
    ),
]
PortOption = Annotated[
    int,
    typer.Option(metavar="N", min=0, max=65_535, help="Port to listen on; 0 for any free one."),
]


def serve(
    *,
    model: ServedModelArgument = PRETRAINED_FILE,
    host: HostOption = "127.0.0.1",
    port: PortOption = 8_000,
    model_options: LoadOptions,
) -> None:
    """Serve a model over HTTP, with a page to try it.

    A .pt file is exported to ONNX first, as by export-onnx. There is no authentication.
    """
    missing = [name for name in _PACKAGES if find_spec(name) is None]
    if missing:
        raise Unavailable(
            f"serving needs the package '{missing[0]}', which is not installed\n"
            "install it: pip install 'fmnist-cli[serve]'"
        )
    import numpy as np

    from fmnist_cli.constants import IMAGE_SIZE
    from fmnist_cli.inference.loading import needs_torch
    from fmnist_cli.serve.app import create_app
    from fmnist_cli.serve.server import listen, run, url_of

    with listen(host, port) as listener:
        with TemporaryDirectory() as folder:
            if needs_torch(model, model_options.network):
                exported = Path(folder) / f"{model.stem}.onnx"
                _export(model, exported, model_options)
                onnx_options = LoadOptions(
                    device=model_options.device, threads=model_options.threads
                )
                classifier = load_model(exported, onnx_options)
            else:
                classifier = load_model(model, model_options)
            app = create_app(classifier, PRETRAINED if model == PRETRAINED_FILE else model.name)
            # Opens the file for good: it is read when the first image is classified.
            classifier(np.zeros((1, IMAGE_SIZE, IMAGE_SIZE), np.uint8))
        if not ip_address(listener.getsockname()[0]).is_loopback:
            console.warn(
                "anyone who reaches this address can use the server: it asks for no password"
            )
        with grace(_GRACE_SECONDS):
            # Connections that come before the first line of `run` wait in the listener's queue.
            console.note(f"serving {name_of(model)} at {url_of(listener)}")
            run(app, listener)


def _export(model: Path, output: Path, options: LoadOptions) -> None:
    """Run `fmnist export-onnx` in a separate process, so that torch's memory is freed with it."""
    console.note(f"exporting {name_of(model)} for ONNX Runtime")
    given = {
        "--model": options.network,
        "--normalization": options.normalization,
        "--stem": options.stem,
        "--classes": options.classes,
    }
    words = [word for flag, value in given.items() if value is not None for word in (flag, value)]
    command = ["export-onnx", str(model.absolute()), "--output", str(output), *words]
    done = subprocess.run(  # noqa: S603 - this program
        [sys.executable, "-P", "-m", "fmnist_cli", *command, *(["--quiet"] * console.is_quiet())],
        stdout=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode:
        raise typer.Exit(done.returncode)  # the error has been printed
