"""The options of `fmnist train`: unset unless given, the recipe and TrainConfig fill in."""

import re
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from fmnist_cli.cli.options import DEFAULT_MODEL
from fmnist_cli.engine.config import (
    DEFAULT_VAL_SIZE,
    MonitorName,
    OptimizerName,
    PrecisionName,
    ScheduleName,
    TrainConfig,
)

BY_RECIPE: Final = "by the recipe"
WHAT, OPTIMISER, DATA, TUNING = "What", "Optimiser", "Data", "Fine-tuning"
HARDWARE, RUNS = "Hardware", "Runs"


def _option(*names: str, help: str, panel: str, default: str | None = None, **more: Any) -> Any:  # noqa: A002
    """An option whose help ends with its default: `default`, or else that of `TrainConfig`."""
    shown = default
    if shown is None:
        value = TrainConfig.default(names[0].removeprefix("--").replace("-", "_"))
        shown = None if value is None or value is False else f"{value}"
    if shown:
        help = f"{help} (default: {shown})"  # noqa: A001
    return typer.Option(*names, help=help, show_default=False, rich_help_panel=panel, **more)


def _seconds(text: str) -> float:
    """Read a duration: seconds, or a number with s, m or h."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smh]?)", str(text).strip())
    if match is None:
        raise typer.BadParameter(f"'{text}' is no duration; expected for example 90s, 5m or 1.5h")
    return float(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[match[2]]


RecipeOption = Annotated[
    str | None,
    _option("--recipe", help="tutorial, fast, small, default or best.", panel=WHAT, metavar="NAME"),
]
NetworkOption = Annotated[
    str | None,
    _option("--model", help="Network by name.", panel=WHAT, metavar="NAME", default=BY_RECIPE),
]
EpochsOption = Annotated[
    int | None,
    _option("--epochs", help="Passes over the training split.", panel=WHAT, metavar="N", min=1),
]
BatchSizeOption = Annotated[
    int | None,
    _option(
        *("--batch-size", "-b"),
        help="Images per step.",
        panel=WHAT,
        metavar="N",
        default=BY_RECIPE,
        min=1,
    ),
]
TimeBudgetOption = Annotated[
    float | None,
    _option(
        "--time-budget",
        help="Finish within this time of the program's start, e.g. 60s; replaces --epochs.",
        panel=WHAT,
        parser=_seconds,
        metavar="DURATION",
    ),
]
OptimizerOption = Annotated[
    OptimizerName | None,
    _option("--optimizer", help="Optimiser by name.", panel=OPTIMISER, default=BY_RECIPE),
]
LrOption = Annotated[
    float | None,
    _option(
        "--lr",
        help="Learning rate at its peak.",
        panel=OPTIMISER,
        metavar="RATE",
        default=BY_RECIPE,
    ),
]
MomentumOption = Annotated[
    float | None,
    _option("--momentum", help="Nesterov momentum of sgd.", panel=OPTIMISER, metavar="SHARE"),
]
WeightDecayOption = Annotated[
    float | None,
    _option(
        "--weight-decay",
        help="Not on biases and norms.",
        panel=OPTIMISER,
        metavar="FACTOR",
        default=BY_RECIPE,
    ),
]
ScheduleOption = Annotated[
    ScheduleName | None,
    _option(
        "--schedule",
        help="Learning rate over time: constant, step, cosine, linear, onecycle or plateau.",
        panel=OPTIMISER,
        metavar="NAME",
        default=BY_RECIPE,
    ),
]
WarmupOption = Annotated[
    float | None,
    _option(
        "--warmup",
        help="Epochs of rising rate, at most half of them.",
        panel=OPTIMISER,
        metavar="EPOCHS",
        default=BY_RECIPE,
    ),
]
LabelSmoothingOption = Annotated[
    float | None,
    _option(
        "--label-smoothing", help="Share spread over all classes.", panel=OPTIMISER, metavar="SHARE"
    ),
]
ClassWeightsOption = Annotated[
    str | None,
    _option(
        "--class-weights",
        help="Factors of the loss: balanced, or ten numbers.",
        panel=OPTIMISER,
        metavar="balanced|W0,…,W9",
    ),
]
EmaOption = Annotated[
    float | None,
    _option("--ema", help="Average weights, this decay a step.", panel=OPTIMISER, metavar="DECAY"),
]
EarlyStopOption = Annotated[
    int | None,
    _option(
        "--early-stop",
        help="Stop after N epochs without a better one.",
        panel=OPTIMISER,
        metavar="N",
        min=1,
    ),
]
MonitorOption = Annotated[
    MonitorName | None,
    _option("--monitor", help="What makes an epoch the best.", panel=OPTIMISER),
]
DropoutOption = Annotated[
    float | None,
    _option(
        "--dropout",
        help="Probability of dropout.",
        panel=OPTIMISER,
        metavar="SHARE",
        default="the network's own",
    ),
]
ValSizeOption = Annotated[
    int | None,
    _option(
        "--val-size",
        help="Training images held out; 0: train on all, keep the last epoch.",
        panel=DATA,
        metavar="N",
        default=f"{DEFAULT_VAL_SIZE}, at most a sixth",
        min=0,
    ),
]
AugmentOption = Annotated[
    str | None,
    _option(
        "--augment",
        help="flip:PROBABILITY, altflip, shift:PIXELS, rotate:DEGREES, zoom:SHARE, "
        "erase:PROBABILITY, mixup:ALPHA, cutmix:ALPHA, or none.",
        panel=DATA,
        default=BY_RECIPE,
        metavar="NAME[:STRENGTH],…",
    ),
]
WorkersOption = Annotated[
    int | None,
    _option(
        "--workers", help="Processes that decode an image folder.", panel=DATA, metavar="N", min=0
    ),
]
WeightsOption = Annotated[
    str | None,
    _option(
        "--weights",
        help="Start from these weights.",
        panel=TUNING,
        metavar="FILE|pretrained|imagenet",
    ),
]
FreezeBackboneOption = Annotated[
    bool | None, _option("--freeze-backbone", help="Train the last layer only.", panel=TUNING)
]
HeadLrOption = Annotated[
    float | None,
    _option(
        "--head-lr", help="Rate of the last layer.", panel=TUNING, metavar="RATE", default="as --lr"
    ),
]
TrainDeviceOption = Annotated[
    str | None,
    _option(
        "--device",
        help="auto, cpu, cuda, cuda:N or mps.",
        panel=HARDWARE,
        metavar="NAME",
        envvar="FMNIST_DEVICE",
    ),
]
TrainPrecisionOption = Annotated[
    PrecisionName | None,
    _option(
        "--precision",
        help="Arithmetic: auto, fp32, bf16 or fp16.",
        panel=HARDWARE,
        metavar="NAME",
    ),
]
CompileOption = Annotated[
    bool | None, _option("--compile", help="Use torch.compile.", panel=HARDWARE)
]
CudaGraphOption = Annotated[
    bool | None,
    _option(
        "--cuda-graph/--no-cuda-graph",
        help="Record a training step and replay it, on a CUDA device.",
        panel=HARDWARE,
        default=BY_RECIPE,
    ),
]
NprocOption = Annotated[
    int | None,
    _option("--nproc", help="Processes that share each batch.", panel=HARDWARE, metavar="N", min=1),
]
TrainThreadsOption = Annotated[
    int | None,
    _option(
        "--threads",
        help="CPU threads of each process.",
        panel=HARDWARE,
        metavar="N",
        default="cores it may use",
        min=1,
    ),
]
OutputOption = Annotated[
    Path | None,
    _option(
        *("--output", "-o"),
        help="Model file to write.",
        panel=RUNS,
        metavar="FILE",
        default=str(DEFAULT_MODEL),
    ),
]
RunDirOption = Annotated[
    Path | None,
    _option(
        "--run-dir",
        help="Folder of the run.",
        panel=RUNS,
        metavar="DIR",
        default="runs/<date>-<time>-<model>",
    ),
]
SeedOption = Annotated[
    int | None,
    _option("--seed", help="Decides every random number.", panel=RUNS, metavar="N", min=0),
]
DeterministicOption = Annotated[
    bool | None,
    _option(
        "--deterministic", help="Refuse operations that may differ from run to run.", panel=RUNS
    ),
]
ResumeOption = Annotated[
    str | None,
    _option("--resume", help="Go on with a run.", panel=RUNS, default="", metavar="RUN_DIR|last"),
]
TensorboardOption = Annotated[
    bool | None, _option("--tensorboard", help="Write TensorBoard events.", panel=RUNS)
]
