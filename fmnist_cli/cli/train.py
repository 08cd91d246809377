"""`fmnist train`: parse the options, train, and show the progress."""

import os
import shlex
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fmnist_cli.cli import console, options, series
from fmnist_cli.cli.models_and_data import fetch
from fmnist_cli.cli.progress import epoch_progress
from fmnist_cli.cli.signals import stop_request
from fmnist_cli.errors import Interrupted, UsageError
from fmnist_cli.files import check_writable
from fmnist_cli.training.options import OPTIMIZER, RUNS, check

if TYPE_CHECKING:
    from fmnist_cli.training.results import Summary
    from fmnist_cli.training.run import Run

STARTED_AT = time.monotonic()
"""About when the program started: time budgets count from here."""


def train(
    *,
    given: options.TrainOptions,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Model file to write.",
            show_default=str(options.DEFAULT_MODEL),
            rich_help_panel=RUNS,
        ),
    ] = None,
    run_dir: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Run directory.",
            show_default="runs/<date>-<time>-<model>",
            rich_help_panel=RUNS,
        ),
    ] = None,
    resume: Annotated[
        str | None,
        typer.Option(
            metavar="RUN_DIR|last",
            help="Continue a run; last: the newest below runs.",
            rich_help_panel=RUNS,
        ),
    ] = None,
    find_lr: Annotated[
        bool,
        typer.Option(
            "--find-lr",
            help="Try growing learning rates for a hundred steps, print one to train with, and "
            "write no model. --output FILE.png plots the loss.",
            rich_help_panel=OPTIMIZER,
        ),
    ] = False,
    data_dir: options.DataDirOption = None,
    mirror: options.MirrorOption = None,
    format_: options.TableOrJson = "table",
) -> None:
    """Train a model. Writes the best one and prints its path."""
    places: Any = {"data_dir": data_dir, "mirrors": mirror or (), "started_at": STARTED_AT}
    run = _open(given, output, run_dir, resume, find_lr, places)
    if find_lr:
        _show_rate(run, output, format_)
        return
    series.train_all(run, _fit, resumes=resume is not None, as_json=format_ == "json")


def _check_find_lr(resume: str | None, seeds: list[int], output: Path | None) -> None:
    if resume or seeds:
        raise UsageError(f"--find-lr does not go with {'--resume' if resume else '--seeds'}")
    if output is not None and output.suffix.lower() not in (".png", ".svg"):
        raise UsageError(f"--find-lr draws a picture: --output FILE.png or .svg, not '{output}'")
    if output is not None:
        check_writable(output)


def _open(
    given: options.TrainOptions,
    output: Path | None,
    run_dir: Path | None,
    resume: str | None,
    find_lr: bool,
    places: Any,
) -> "Run":
    """Check the options of a new or resumed run; with several seeds, of the first one's run."""
    check(given)  # before torch is imported
    seeds = [int(seed) for seed in given["seeds"].split(",")] if "seeds" in given else []
    seed = given.get("seed") if "RANK" in os.environ else None
    if len(seeds) > 1 and "RANK" in os.environ and seed not in seeds:
        raise UsageError("--seeds starts one run after the other: use --nproc, not torchrun")
    if find_lr:
        _check_find_lr(resume, seeds, output)
    elif output is not None and output.suffix.lower() == ".onnx":
        model = shlex.quote(str(output.with_suffix(".pt")))
        raise UsageError(
            f"train writes a .pt file, not '{output}'\n"
            f"train with --output {model}, then convert it: fmnist export-onnx {model}"
        )
    from fmnist_cli.training.recipes import configure
    from fmnist_cli.training.run import Run

    if resume:
        if run_dir is not None:
            raise UsageError("--run-dir does not go with --resume: a run keeps its directory")
        return Run.resume(resume, given, output=output, **places)
    output = output or options.DEFAULT_MODEL
    if seeds:
        seed = given["seed"] = seed if seed in seeds else seeds[0]
        output = output.with_stem(f"{output.stem}-seed{seed}")
        run_dir = None if run_dir is None else run_dir / f"seed{seed}"
    return Run(configure(**given), output=output, run_dir=run_dir, **places)


def _show_rate(run: "Run", output: Path | None, format_: str) -> None:
    from fmnist_cli.training import find_lr

    found = run.find_lr()
    if output is not None:
        find_lr.draw(found, output)
    if format_ == "json":
        picture = None if output is None else str(output)
        console.print_json({**asdict(found), "picture": picture})
    else:
        console.result(f"{found.suggestion:.2g}")


def _fit(run: "Run") -> None:
    """Train to the end; a signal stops it with the state saved and a hint on how to resume."""
    from fmnist_cli.data import image_directory
    from fmnist_cli.inference.torch_devices import resolve_precision
    from fmnist_cli.training.results import Stopped

    def last_words() -> str:
        return f"stopped; {run.how_to_go_on()}"

    if not run.process.is_main:
        console.set_verbosity(quiet=True, verbose=False)
    fetch(run.source, "train")
    precision = resolve_precision(run.config.precision, run.device).name
    console.detail(f"torch on {run.device}, threads: {run.config.threads}, {precision}")
    has_trained = False
    with (
        stop_request(last_words) as should_stop,
        epoch_progress() as progress,
        image_directory.tracked(progress.pictures),
    ):
        run.should_stop = should_stop
        try:
            for result in run.epochs(progress.step):
                progress.epoch(result)
                has_trained = True
        except Stopped:
            raise Interrupted(last_words(), should_stop.number) from None
    if run.summary is not None:
        _conclude(run, run.summary, has_trained=has_trained)


def _conclude(run: "Run", summary: "Summary", *, has_trained: bool) -> None:
    if not has_trained:  # a resumed run that had nothing left to do
        if run.config.time_budget is not None:
            reason = ": its time budget is spent"
        elif summary.epochs < run.config.epochs:
            reason = f": --early-stop {run.config.early_stop} ended it"
        else:
            reason = f"; go on with --epochs N, where N is more than {summary.epochs}"
        console.note(f"this run is finished{reason}")
    accuracy = "" if summary.val_accuracy is None else f", val accuracy {summary.val_accuracy:.2%}"
    console.note(
        f"best epoch {summary.best_epoch}{accuracy}; {summary.seconds:.1f} s; run {summary.run_dir}"
    )
    if run.val_is_seen:
        console.warn(
            "the initial weights were trained on some of the validation images, so validation "
            "accuracy is optimistic"
        )
    if run.source.is_sample:
        console.note(
            "trained on the sample in the package: train on fashion-mnist for a good model"
        )
