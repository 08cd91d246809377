"""The options of `fmnist train`: unset unless given, the recipe and TrainConfig fill in."""

import re
from typing import Annotated, Any, Final

import typer

from fmnist_cli.training.options import (
    DEFAULT_VAL_SIZE,
    MonitorName,
    OptimizerName,
    ScheduleName,
    TrainConfig,
)

BY_RECIPE: Final = "by the recipe"
WHAT, OPTIMIZER, DATA, TUNING = "What", "Optimizer", "Data", "Fine-tuning"


def option(*names: str, help: str, panel: str, default: str | None = None, **more: Any) -> Any:  # noqa: A002
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
    option("--recipe", help="tutorial, fast, small, default or best.", panel=WHAT, metavar="NAME"),
]
NetworkOption = Annotated[
    str | None,
    option("--model", help="Network by name.", panel=WHAT, metavar="NAME", default=BY_RECIPE),
]
EpochsOption = Annotated[
    int | None,
    option("--epochs", help="Passes over the training split.", panel=WHAT, metavar="N", min=1),
]
BatchSizeOption = Annotated[
    int | None,
    option(
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
    option(
        "--time-budget",
        help="Finish within this time of the program's start, e.g. 60s; replaces --epochs.",
        panel=WHAT,
        parser=_seconds,
        metavar="DURATION",
    ),
]
OptimizerOption = Annotated[
    OptimizerName | None,
    option("--optimizer", help="Optimizer by name.", panel=OPTIMIZER, default=BY_RECIPE),
]
LrOption = Annotated[
    float | None,
    option(
        "--lr",
        help="Learning rate at its peak.",
        panel=OPTIMIZER,
        metavar="RATE",
        default=BY_RECIPE,
    ),
]
MomentumOption = Annotated[
    float | None,
    option("--momentum", help="Nesterov momentum of sgd.", panel=OPTIMIZER, metavar="SHARE"),
]
WeightDecayOption = Annotated[
    float | None,
    option(
        "--weight-decay",
        help="Not on biases and norms.",
        panel=OPTIMIZER,
        metavar="FACTOR",
        default=BY_RECIPE,
    ),
]
ScheduleOption = Annotated[
    ScheduleName | None,
    option(
        "--schedule",
        help="Learning rate over time: constant, step, cosine, linear, onecycle or plateau.",
        panel=OPTIMIZER,
        metavar="NAME",
        default=BY_RECIPE,
    ),
]
WarmupOption = Annotated[
    float | None,
    option(
        "--warmup",
        help="Epochs of rising rate, at most half of them.",
        panel=OPTIMIZER,
        metavar="EPOCHS",
        default=BY_RECIPE,
    ),
]
LabelSmoothingOption = Annotated[
    float | None,
    option(
        "--label-smoothing", help="Share spread over all classes.", panel=OPTIMIZER, metavar="SHARE"
    ),
]
ClassWeightsOption = Annotated[
    str | None,
    option(
        "--class-weights",
        help="Factors of the loss: balanced, or ten numbers.",
        panel=OPTIMIZER,
        metavar="balanced|W0,…,W9",
    ),
]
EmaOption = Annotated[
    float | None,
    option("--ema", help="Average weights, this decay a step.", panel=OPTIMIZER, metavar="DECAY"),
]
EarlyStopOption = Annotated[
    int | None,
    option(
        "--early-stop",
        help="Stop after N epochs without a better one.",
        panel=OPTIMIZER,
        metavar="N",
        min=1,
    ),
]
PruneOption = Annotated[
    float | None,
    option(
        "--prune",
        help="Leave this share of the easier half of the images out of an epoch.",
        panel=OPTIMIZER,
        metavar="SHARE",
        default=BY_RECIPE,
    ),
]
FreezeStemOption = Annotated[
    int | None,
    option(
        "--freeze-stem",
        help="Keep the first layers as they are after N epochs.",
        panel=OPTIMIZER,
        metavar="N",
        min=1,
        default=BY_RECIPE,
    ),
]
MonitorOption = Annotated[
    MonitorName | None,
    option("--monitor", help="What makes an epoch the best.", panel=OPTIMIZER),
]
DropoutOption = Annotated[
    float | None,
    option(
        "--dropout",
        help="Probability of dropout.",
        panel=OPTIMIZER,
        metavar="SHARE",
        default="the network's own",
    ),
]
ValSizeOption = Annotated[
    int | None,
    option(
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
    option(
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
    option(
        "--workers", help="Processes that decode an image folder.", panel=DATA, metavar="N", min=0
    ),
]
WeightsOption = Annotated[
    str | None,
    option(
        "--weights",
        help="Start from these weights.",
        panel=TUNING,
        metavar="FILE|pretrained|imagenet",
    ),
]
FreezeBackboneOption = Annotated[
    bool | None, option("--freeze-backbone", help="Train the last layer only.", panel=TUNING)
]
HeadLrOption = Annotated[
    float | None,
    option(
        "--head-lr", help="Rate of the last layer.", panel=TUNING, metavar="RATE", default="as --lr"
    ),
]
