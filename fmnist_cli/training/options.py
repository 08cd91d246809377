"""What a training run is asked to do: frozen, documented by field, checked at birth."""

from dataclasses import asdict, dataclass, fields
from typing import Any, Final, Literal, get_args

from fmnist_cli.constants import NUM_CLASSES
from fmnist_cli.errors import UsageError, did_you_mean

OptimizerName = Literal["sgd", "adam", "adamw"]
ScheduleName = Literal["constant", "step", "cosine", "linear", "onecycle", "plateau"]
MonitorName = Literal["accuracy", "loss"]
DEFAULT_VAL_SIZE: Final = 5_000
PrecisionName = Literal["auto", "fp32", "bf16", "fp16"]


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainConfig:
    """Every option of a training run. Raises UsageError at birth for a value out of its range."""

    recipe: str = "default"
    """Entry of `fmnist_cli.training.recipes.RECIPES` that the run started from."""
    model: str = "tutorial"
    """Network by name: see `fmnist_cli.models`."""
    dropout: float | None = None
    """Probability of dropping a feature; None: the network's own."""
    data: str = "fashion-mnist"
    """Training data: see `fmnist_cli.data.sources`."""
    test_data: str | None = None
    """Test split of a CSV or folder; recorded for `evaluate`, never opened by training."""
    val_size: int | None = None
    """Images held out of the training split, stratified by class; 0: none; None: 5,000, or a sixth
    of the split where that is less."""
    epochs: int = 20
    """Passes over the training split."""
    time_budget: float | None = None
    """Seconds from the start of the process in which to finish; replaces `epochs`."""
    batch_size: int = 256
    """Images per optimizer step, over all processes. The last, partial batch is dropped."""
    optimizer: OptimizerName = "sgd"
    lr: float = 0.1
    """Learning rate at the schedule's peak."""
    head_lr: float | None = None
    """Learning rate of the last layer; None: the same."""
    momentum: float = 0.9
    """Nesterov momentum of SGD."""
    weight_decay: float = 0.0
    """Not applied to biases and norms."""
    schedule: ScheduleName = "constant"
    warmup: float = 0.0
    """Epochs over which the learning rate rises to its peak; at most half of the run."""
    label_smoothing: float = 0.0
    class_weights: str | None = None
    """`balanced`, or ten numbers separated by commas: factors of the loss, by true class."""
    ema: float | None = None
    """Decay per step of an exponential moving average of the weights, which is then the model."""
    early_stop: int | None = None
    """Stop after so many epochs without a better validation metric."""
    prune: float = 0.0
    """Share of the easier half of the images that each epoch but the first leaves out."""
    monitor: MonitorName = "accuracy"
    """Validation metric by which the best epoch is chosen."""
    augment: str = "none"
    """Augmentations by name and strength: see `fmnist_cli.training.augment`."""
    workers: int = 0
    """Processes that decode an image folder."""
    weights: str | None = None
    """Start from these weights: a file, `pretrained` or `imagenet`."""
    freeze_backbone: bool = False
    """Train the last layer only."""
    freeze_stem: int | None = None
    """Keep the first layer with weights, and a norm behind it, as they are after so many epochs."""
    device: str = "auto"
    precision: PrecisionName = "auto"
    compile: bool = False
    """Compile the network with torch.compile."""
    cuda_graph: bool = False
    """Record the training step and replay it: on a CUDA device, in one process, not in fp16."""
    nproc: int = 1
    """Processes on this machine that share each batch."""
    threads: int | None = None
    """CPU threads per process; None: the cores this process may use."""
    seed: int = 0
    deterministic: bool = False
    """Refuse operations whose result may differ from run to run."""
    tensorboard: bool = False
    """Write TensorBoard events into the run folder."""

    def __post_init__(self) -> None:
        _at_least("epochs", self.epochs, 1)
        _at_least("batch-size", self.batch_size, 1)
        _at_least("val-size", self.val_size, 0)
        _at_least("workers", self.workers, 0)
        _at_least("nproc", self.nproc, 1)
        _at_least("seed", self.seed, 0)
        _at_least("early-stop", self.early_stop, 1)
        _at_least("threads", self.threads, 1)
        _at_least("freeze-stem", self.freeze_stem, 1)
        _between("lr", self.lr, 0.0, 100.0, open_below=True)
        _between("head-lr", self.head_lr, 0.0, 100.0, open_below=True)
        _between("momentum", self.momentum, 0.0, 1.0)
        _between("weight-decay", self.weight_decay, 0.0, 100.0)
        _between("warmup", self.warmup, 0.0, 1e6)
        _between("label-smoothing", self.label_smoothing, 0.0, 1.0)
        _between("prune", self.prune, 0.0, 1.0)
        _between("dropout", self.dropout, 0.0, 0.99)
        _between("ema", self.ema, 0.0, 1.0)
        _between("time-budget", self.time_budget, 0.0, 1e7, open_below=True)
        _one_of("optimizer", self.optimizer, get_args(OptimizerName))
        _one_of("schedule", self.schedule, get_args(ScheduleName))
        _one_of("monitor", self.monitor, get_args(MonitorName))
        _one_of("precision", self.precision, get_args(PrecisionName))
        self._check_combinations()
        self.class_weight_values()
        self._check_names()

    def _check_combinations(self) -> None:
        if self.early_stop is not None and self.val_size == 0:
            raise UsageError("--early-stop needs a validation split; --val-size is 0")
        if self.freeze_backbone and self.weights is None:
            raise UsageError("--freeze-backbone needs --weights: a random backbone learns nothing")
        if self.schedule == "onecycle" and self.warmup:
            raise UsageError("--schedule onecycle warms up by itself; leave --warmup out")
        if self.batch_size % self.nproc:
            raise UsageError(
                f"--batch-size {self.batch_size} can't be shared evenly by --nproc {self.nproc}"
            )

    def _check_names(self) -> None:
        """Refuse names that only the stages below know. These import torch, as training will."""
        from fmnist_cli import models
        from fmnist_cli.training import augment

        models.network(self.model)
        augment.parse(self.augment)

    def val_size_for(self, n: int) -> int:
        """Images to hold out of a training split of `n`."""
        return min(DEFAULT_VAL_SIZE, n // 6) if self.val_size is None else self.val_size

    def class_weight_values(self) -> tuple[float, ...] | None:
        """The ten numbers of `class_weights`; None for `balanced` or none at all."""
        if self.class_weights in (None, "balanced"):
            return None
        try:
            values = tuple(float(part) for part in str(self.class_weights).split(","))
        except ValueError:
            values = ()
        if len(values) != NUM_CLASSES or min(values) < 0 or not 0 < sum(values) < float("inf"):
            raise UsageError(
                f"--class-weights is '{self.class_weights}'; expected 'balanced' or {NUM_CLASSES} "
                "numbers of at least 0, separated by commas"
            )
        return values

    def as_dict(self) -> dict[str, Any]:
        """Plain data for a run folder or a model file."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "TrainConfig":
        """Rebuild from plain data. Raises UsageError for a name that is no field."""
        known = [field.name for field in fields(cls)]
        for name in values:
            if name not in known:
                raise UsageError(
                    f"no training option is called '{name}'{did_you_mean(name, known)}"
                )
        return cls(**values)

    @classmethod
    def default(cls, name: str) -> Any:
        """The default of one field, for help texts."""
        return next(field.default for field in fields(cls) if field.name == name)


def _at_least(option: str, value: int | None, low: int) -> None:
    if value is not None and value < low:
        raise UsageError(f"--{option} is {value}; expected at least {low}")


def _between(
    option: str, value: float | None, low: float, high: float, *, open_below: bool = False
) -> None:
    if value is None or low < value <= high or (value == low and not open_below):
        return
    least = f"more than {low:g}" if open_below else f"at least {low:g}"
    raise UsageError(f"--{option} is {value:g}; expected {least} and at most {high:g}")


def _one_of(option: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        hint = did_you_mean(str(value), choices)
        raise UsageError(f"--{option} is '{value}'; expected {', '.join(choices)}{hint}")
