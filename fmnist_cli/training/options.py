"""The options of a training run, each declared once.

A field of `TrainConfig` carries its type, default, range and help. The command line, `--help`, the
keys of a config file, validation and the table in docs/training.md are derived from it: to add an
option, add a field here and the code that uses it.
"""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields
from functools import partial
from operator import ge, gt, le, lt
from typing import Any, Final, Literal, get_args, get_type_hints

from fmnist_cli.data.class_names import parse_classes
from fmnist_cli.errors import UsageError, did_you_mean, in_one_line
from fmnist_cli.files import is_unicode

DEFAULT_VAL_SIZE: Final = 5_000
MAX_REPEAT: Final = 1_000
MAX_SEEDS: Final = 1_000
MAX_SEED: Final = 2**64 - 1
"""What torch.manual_seed takes."""
MAX_THREADS: Final = 1_024
"""More than most machines have cores; far more threads than the system allows end the process."""
GROUPS: Final = ("What", "Optimizer", "Data", "Fine-tuning", "Hardware", "Runs")
"""In the order of `--help`."""
_, OPTIMIZER, _, _, _, RUNS = GROUPS

_SIZE_OR_SHARE: Final = "a number of images, such as 5000, or a share below 1, such as 0.1"
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([smh]?)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Option:
    """The declaration of one option."""

    name: str
    type: Any
    default: Any
    help: str
    group: str
    metavar: str | None = None
    """Placeholder for the value in `--help`; N for integers, none for choices and flags."""
    short: str | None = None
    env: str | None = None
    """Environment variable that sets the option."""
    parse: Callable[[str], Any] | None = None
    """Reads the value as typed; raises ValueError with what was expected."""
    unset: str | None = None
    """What happens if the option is left at None, for `--help`."""
    repeatable: str | None = None
    """What joins the values of an option that `train` takes several times."""
    train_help: str = ""
    """What the help of `train` adds to that of other commands."""
    resumable: bool = False
    """Whether a run that is resumed may change it."""
    above: float | None = None
    """Exclusive lower limit."""
    min: float | None = None
    max: float | None = None
    below: float | None = None
    """Exclusive upper limit."""

    @property
    def flag(self) -> str:
        """The long name on the command line."""
        return f"--{self.name.replace('_', '-')}"

    @property
    def choices(self) -> tuple[str, ...]:
        """The values of a Literal; empty for any other type."""
        return get_args(self.type) if isinstance(self.default, str) else ()

    def check(self, value: Any) -> None:
        """Raise UsageError for a value of another type or out of range."""
        if self.choices and value not in self.choices:
            hint = did_you_mean(str(value), self.choices)
            raise UsageError(f"{self.flag} is '{value}'; expected {', '.join(self.choices)}{hint}")
        if not self.choices and not self._has_type(value):
            expected = getattr(self.type, "__name__", self.type)  # a union has no name
            raise UsageError(f"{self.flag} is {value!r}; expected {expected}")
        if isinstance(value, str) and not is_unicode(value):
            raise UsageError(
                f"{self.flag} is '{in_one_line(value)}', which is not UTF-8, so run.toml can't "
                "record it; rename it"
            )
        ranges = (
            ("more than", self.above, gt),
            ("at least", self.min, ge),
            ("at most", self.max, le),
            ("less than", self.below, lt),
        )
        limits = [(word, limit, holds) for word, limit, holds in ranges if limit is not None]
        # NaN is in no range.
        if value is not None and not all(holds(value, limit) for _, limit, holds in limits):
            expected = " and ".join(f"{word} {_as_number(limit)}" for word, limit, _ in limits)
            raise UsageError(f"{self.flag} is {_as_number(value)}; expected {expected}")

    def _has_type(self, value: Any) -> bool:
        """Whether a value has the declared type; an integer is also a float, a bool only a bool."""
        if isinstance(value, bool):
            return self.type is bool
        kinds = get_args(self.type) or (self.type,)
        return isinstance(value, (*kinds, int) if float in kinds else kinds)


def _as_number(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:g}"


def _option(default: Any, help: str, **details: Any) -> Any:  # noqa: A002 - the word of Typer
    """A dataclass field with what `OPTIONS` makes its `Option` of."""
    return field(default=default, metadata={"default": default, "help": help, **details})


_what, _optimizer, _data, _tuning, _hardware, _runs = (
    partial(_option, group=group) for group in GROUPS
)


def seconds(text: str) -> float:
    """Read a duration such as 90, 90s, 5m or 1.5h. Raises ValueError for anything else."""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"'{text}' is not a duration; expected for example 90s, 5m or 1.5h")
    return float(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[match[2]]


def size_or_share(text: str) -> int | float:
    """Read a number of images such as 5000, or a share of them such as 0.1, as a float.

    Raises ValueError for anything but a number; `TrainConfig` checks its range.
    """
    for read in (int, float):
        with suppress(ValueError):
            return read(text)
    raise ValueError(f"'{text}' is not {_SIZE_OR_SHARE}")


def seed_list(text: str) -> str:
    """Read `0-4` or `0,2,5` into comma-separated seeds. Raises ValueError for anything else."""
    seeds: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise ValueError(f"'{text}' names no seeds; expected 0-4, for example, or 0,2,5")
        # One too many is enough to refuse a range without end.
        seeds += range(int(first), int(last if dash else first) + 1)[: MAX_SEEDS + 1]
    if seeds and max(seeds) > MAX_SEED:
        raise ValueError(f"'{text}' names a seed above {MAX_SEED}")
    if not 0 < len(seeds) <= MAX_SEEDS or len(set(seeds)) < len(seeds):
        raise ValueError(f"'{text}' must name 1 to {MAX_SEEDS} different seeds")
    return ",".join(map(str, seeds))


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainConfig:
    """Every option of a training run. Raises UsageError for a value of another type or range."""

    recipe: str = _what(
        "default",
        "Named set of options: tutorial, fast, small, default, finetune or best.",
        metavar="NAME",
    )
    model: str = _what(
        "tutorial",
        "Network: tutorial, convnet, convnet-small, convnet-compact, wideresnet, one of "
        "torchvision's, or a class of your own.",
        metavar="NAME|FILE.py:CLASS",
    )
    data: str = _data(
        "fashion-mnist",
        "fashion-mnist, sample, a CSV, .npz or .parquet file, a directory of IDX files, or a "
        "directory with one subdirectory of images per class.",
        metavar="NAME|PATH",
        repeatable=" + ",
        train_help=" Repeat it to train on several.",
    )
    repeat: str | None = _data(
        None, "How often the images of each --data are seen in an epoch.", metavar="N,…"
    )
    classes: str | None = _data(
        None,
        "Names of the classes by label, for data that does not name its own.",
        metavar="NAME,…|FILE",
        parse=parse_classes,
        unset="the directories' names, or Fashion-MNIST's",
    )
    test_data: str | None = _data(
        None,
        "Test split for later evaluation if --data has none; training never opens it.",
        metavar="PATH",
    )
    val_size: int | float | None = _data(
        None,
        "Training images held out for validation, stratified by class: a number, or a share such "
        "as 0.1. 0 trains on all images and keeps the last epoch.",
        metavar="N|SHARE",
        parse=size_or_share,
        min=0,
        unset=f"{DEFAULT_VAL_SIZE}, at most a sixth",
    )
    epochs: int = _what(20, "Passes over the training split.", min=1, resumable=True)
    time_budget: float | None = _what(
        None,
        "Finish within this time from the start of the program, e.g. 60s; replaces --epochs.",
        metavar="DURATION",
        parse=seconds,
        above=0,
        max=1e7,
    )
    batch_size: int = _what(
        256, "Images per optimizer step, over all processes.", short="-b", min=1
    )
    optimizer: Literal["sgd", "adam", "adamw"] = _optimizer("sgd", "Optimizer.")
    lr: float = _optimizer(0.1, "Peak learning rate.", metavar="RATE", above=0, max=100)
    momentum: float = _optimizer(0.9, "Nesterov momentum of SGD.", metavar="FACTOR", min=0, max=1)
    weight_decay: float = _optimizer(
        0.0, "Weight decay (biases and norm layers excluded).", metavar="FACTOR", min=0, max=100
    )
    schedule: Literal["constant", "step", "cosine", "linear", "onecycle", "plateau"] = _optimizer(
        "constant", "Learning rate schedule."
    )
    warmup: float = _optimizer(
        0.0, "Warm-up length in epochs (at most half of the run).", metavar="EPOCHS", min=0, max=1e6
    )
    label_smoothing: float = _optimizer(
        0.0, "Share of each target spread evenly over all classes.", metavar="SHARE", min=0, max=1
    )
    class_weights: str | None = _optimizer(
        None,
        "Per-class loss weights: 'balanced' or comma-separated numbers.",
        metavar="balanced|W0,…",
    )
    ema: float | None = _optimizer(
        None,
        "Keep an exponential moving average of the weights with this decay per step, and save "
        "that as the model.",
        metavar="DECAY",
        min=0,
        below=1,
    )
    early_stop: int | None = _optimizer(None, "Stop after N epochs without improvement.", min=1)
    monitor: Literal["accuracy", "loss"] = _optimizer(
        "accuracy", "Validation metric that picks the best epoch."
    )
    prune: float = _optimizer(
        0.0,
        "After the first epoch, leave out this share of the images with below-median loss.",
        metavar="SHARE",
        min=0,
        max=1,
    )
    freeze_stem: int | None = _optimizer(
        None, "Freeze the first layer, and the norm that follows it, after N epochs.", min=1
    )
    dropout: float | None = _optimizer(
        None, "Dropout probability.", metavar="P", min=0, max=0.99, unset="the network's own"
    )
    normalization: str | None = _data(
        None,
        "Pixels that the network gets: 0 to 1, zero mean and unit variance, -1 to 1, 0 to 255, or "
        "(0..1 - MEAN) / STD.",
        metavar="raw|standard|half|bytes|MEAN,STD",
        unset="the network's usual; raw for your own",
    )
    augment: str = _data(
        "none",
        "flip:PROBABILITY, altflip, shift:PIXELS, rotate:DEGREES, zoom:SHARE, stretch:SHARE, "
        "exposure:STOPS, erase:PROBABILITY, mixup:ALPHA, cutmix:ALPHA, or none.",
        metavar="NAME[:STRENGTH],…",
    )
    photo: Literal["auto", "on", "off"] = _data(
        "auto", "Prepare pictures as photos of a garment; auto decides per picture."
    )
    workers: int = _data(
        0,
        "Threads that decode a directory of images; 0: one per available core.",
        min=0,
        max=MAX_THREADS,
        resumable=True,
    )
    weights: str | None = _tuning(None, "Initial weights.", metavar="FILE|pretrained|imagenet")
    freeze_backbone: bool = _tuning(False, "Train the last layer only.")
    head_lr: float | None = _tuning(
        None,
        "Learning rate of the last layer.",
        metavar="RATE",
        above=0,
        max=100,
        unset="same as --lr",
    )
    device: str = _hardware(
        "auto",
        "auto, cpu, cuda, cuda:N or mps.",
        metavar="NAME",
        env="FMNIST_DEVICE",
        resumable=True,
    )
    precision: Literal["auto", "fp32", "bf16", "fp16"] = _hardware(
        "auto", "Floating-point format of the network's arithmetic."
    )
    compile: bool = _hardware(False, "Compile the network with torch.compile.", resumable=True)
    nproc: int = _hardware(
        1, "Processes on this machine that share each batch.", min=1, resumable=True
    )
    threads: int | None = _hardware(
        None,
        "CPU threads per process.",
        min=1,
        max=MAX_THREADS,
        unset="the available cores",
        resumable=True,
    )
    seed: int = _runs(0, "Seed of every random number generator.", min=0, max=MAX_SEED)
    seeds: str | None = _runs(
        None,
        "Train once for each of these seeds in place of --seed, one after the other.",
        metavar="A-B|N,…",
        parse=seed_list,
    )
    deterministic: bool = _runs(False, "Refuse operations whose results may vary between runs.")
    tensorboard: bool = _runs(
        False, "Write TensorBoard events to the run directory.", resumable=True
    )

    def __post_init__(self) -> None:
        for declared in OPTIONS.values():
            declared.check(getattr(self, declared.name))
        if isinstance(self.val_size, float) and self.val_size >= 1:
            raise UsageError(f"--val-size is {self.val_size:g}; expected {_SIZE_OR_SHARE}")
        if self.early_stop is not None and self.val_size == 0:
            raise UsageError("--early-stop needs a validation split, but --val-size is 0")
        if self.freeze_backbone and self.weights is None:
            raise UsageError("--freeze-backbone needs --weights: a random backbone learns nothing")
        if self.schedule == "onecycle" and self.warmup:
            raise UsageError("--schedule onecycle has its own warm-up; leave out --warmup")
        if self.batch_size % self.nproc:
            raise UsageError(
                f"--batch-size {self.batch_size} can't be split evenly over --nproc {self.nproc}"
            )
        self.class_weight_values()
        self.repeat_counts()
        # Names that other modules define; they import torch, as training will.
        from fmnist_cli import models
        from fmnist_cli.data.normalization import Normalization
        from fmnist_cli.training import augment

        models.network(self.model)
        augment.parse(self.augment)
        if self.normalization is not None:
            Normalization.parse(self.normalization)

    def network_options(self) -> dict[str, float]:
        """Arguments of the network's constructor."""
        return {} if self.dropout is None else {"dropout": self.dropout}

    def val_size_for(self, n: int) -> int:
        """Number of validation images to take from a training split of `n`."""
        if self.val_size is None:
            return min(DEFAULT_VAL_SIZE, n // 6)
        if isinstance(self.val_size, float):
            return max(1, round(self.val_size * n)) if self.val_size else 0
        return self.val_size

    def seed_values(self) -> list[int]:
        """The numbers in `seeds`; none if it is unset."""
        return [int(seed) for seed in self.seeds.split(",")] if self.seeds else []

    def repeat_counts(self) -> list[int] | None:
        """The numbers in `repeat`; None if it is unset."""
        if self.repeat is None:
            return None
        parts = self.repeat.split(",")
        if not all(part.strip().isdecimal() and 1 <= int(part) <= MAX_REPEAT for part in parts):
            raise UsageError(
                f"--repeat is '{self.repeat}'; expected a number from 1 to {MAX_REPEAT} for each "
                "--data, such as 1,4"
            )
        return [int(part) for part in parts]

    def class_weight_values(self) -> tuple[float, ...] | None:
        """The numbers in `class_weights`; None if it is unset or `balanced`."""
        if self.class_weights in (None, "balanced"):
            return None
        try:
            values = tuple(float(part) for part in str(self.class_weights).split(","))
        except ValueError:
            values = ()
        if not values or min(values) < 0 or not 0 < sum(values) < float("inf"):
            raise UsageError(
                f"--class-weights is '{self.class_weights}'; expected 'balanced' or a number for "
                "each class, none negative and not all zero"
            )
        return values


OPTIONS: Final[Mapping[str, Option]] = {
    item.name: Option(
        name=item.name,
        type=kind,
        **{"metavar": "N" if kind in (int, int | None) else None, **item.metadata},
    )
    for item, kind in zip(fields(TrainConfig), get_type_hints(TrainConfig).values(), strict=True)
}
"""The options by name, in the order of the fields."""


def check(values: Mapping[str, Any]) -> None:
    """Check options one by one, without importing torch. Raises UsageError as `TrainConfig`."""
    for name, value in values.items():
        if name not in OPTIONS:
            raise UsageError(f"unknown training option '{name}'{did_you_mean(name, OPTIONS)}")
        OPTIONS[name].check(value)
