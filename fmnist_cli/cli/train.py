"""`fmnist train`: parse the options, run the engine, draw what it yields."""

import os
import sys
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from fmnist_cli.cli import console
from fmnist_cli.cli.download import download_progress
from fmnist_cli.cli.options import (
    DEFAULT_MODEL,
    DataDirOption,
    DataOption,
    MirrorOption,
    TableOrJson,
    TestDataOption,
)
from fmnist_cli.cli.progress import epoch_progress
from fmnist_cli.cli.run_options import (
    CompileOption,
    CudaGraphOption,
    DeterministicOption,
    NprocOption,
    OutputOption,
    ResumeOption,
    RunDirOption,
    SeedOption,
    TensorboardOption,
    TrainDeviceOption,
    TrainPrecisionOption,
    TrainThreadsOption,
)
from fmnist_cli.cli.signals import stop_request
from fmnist_cli.cli.train_options import (
    AugmentOption,
    BatchSizeOption,
    ClassWeightsOption,
    DropoutOption,
    EarlyStopOption,
    EmaOption,
    EpochsOption,
    FreezeBackboneOption,
    FreezeStemOption,
    HeadLrOption,
    LabelSmoothingOption,
    LrOption,
    MomentumOption,
    MonitorOption,
    NetworkOption,
    OptimizerOption,
    PruneOption,
    RecipeOption,
    ScheduleOption,
    TimeBudgetOption,
    ValSizeOption,
    WarmupOption,
    WeightDecayOption,
    WeightsOption,
    WorkersOption,
)
from fmnist_cli.errors import Interrupted

if TYPE_CHECKING:
    from fmnist_cli.training.run import Run

STARTED_AT = time.monotonic()
"""When the program began, as near as a module can tell: time budgets count from here."""


def train(
    recipe: RecipeOption = None,
    model: NetworkOption = None,
    data: DataOption = None,
    test_data: TestDataOption = None,
    data_dir: DataDirOption = None,
    mirror: MirrorOption = None,
    epochs: EpochsOption = None,
    batch_size: BatchSizeOption = None,
    time_budget: TimeBudgetOption = None,
    optimizer: OptimizerOption = None,
    lr: LrOption = None,
    momentum: MomentumOption = None,
    weight_decay: WeightDecayOption = None,
    schedule: ScheduleOption = None,
    warmup: WarmupOption = None,
    label_smoothing: LabelSmoothingOption = None,
    class_weights: ClassWeightsOption = None,
    ema: EmaOption = None,
    early_stop: EarlyStopOption = None,
    prune: PruneOption = None,
    freeze_stem: FreezeStemOption = None,
    monitor: MonitorOption = None,
    dropout: DropoutOption = None,
    val_size: ValSizeOption = None,
    augment: AugmentOption = None,
    workers: WorkersOption = None,
    weights: WeightsOption = None,
    freeze_backbone: FreezeBackboneOption = None,
    head_lr: HeadLrOption = None,
    device: TrainDeviceOption = None,
    precision: TrainPrecisionOption = None,
    compile_: CompileOption = None,
    cuda_graph: CudaGraphOption = None,
    nproc: NprocOption = None,
    threads: TrainThreadsOption = None,
    output: OutputOption = None,
    run_dir: RunDirOption = None,
    seed: SeedOption = None,
    deterministic: DeterministicOption = None,
    resume: ResumeOption = None,
    tensorboard: TensorboardOption = None,
    format_: TableOrJson = "table",
) -> None:
    """Train a model. Writes the best one and prints its path."""
    options = dict(locals())
    places = {name: options.pop(name) for name in ("output", "run_dir", "data_dir", "mirror")}
    given = {
        name.rstrip("_"): value
        for name, value in options.items()
        if value is not None and name not in ("resume", "format_")
    }
    run = _open(resume, given, places)
    if run.config.nproc > 1 and "RANK" not in os.environ:
        from fmnist_cli.training.launch import launch

        launch(run.config.nproc, ["-m", "fmnist_cli", *sys.argv[1:]])
        return
    _fit(run)
    if run.summary is None:  # another process writes and speaks
        return
    if format_ == "json":
        console.print_json(asdict(run.summary))
    else:
        console.result(run.summary.model)


def _open(resume: str | None, given: dict[str, Any], places: dict[str, Any]) -> "Run":
    from fmnist_cli.training.recipes import resolve
    from fmnist_cli.training.run import Run

    arguments = {
        "data_dir": places["data_dir"],
        "mirrors": places["mirror"] or (),
        "started_at": STARTED_AT,
    }
    if resume:
        if places["output"] is not None:
            arguments["output"] = places["output"]
        return Run.resume(resume, given, **arguments)
    output = places["output"] or DEFAULT_MODEL
    return Run(resolve(given), output=output, run_dir=places["run_dir"], **arguments)


def _fit(run: "Run") -> None:
    """Train to the end; a signal ends it with the state saved and a line that says how to go on."""
    from fmnist_cli.training.results import Stopped

    def last_words() -> str:
        return f"stopped; {run.how_to_go_on()}"

    if not run.process.is_main:
        console.set_verbosity(quiet=True, verbose=False)
    with download_progress() as track:
        run.download(track)
    with stop_request(last_words) as should_stop, epoch_progress() as progress:
        run.should_stop = should_stop
        try:
            for result in run.epochs(progress.step):
                progress.epoch(result)
        except Stopped:
            raise Interrupted(last_words(), should_stop.signal_number) from None
    _conclude(run)


def _conclude(run: "Run") -> None:
    summary = run.summary
    if summary is None:
        return
    judged = "" if summary.val_accuracy is None else f", val accuracy {summary.val_accuracy:.2%}"
    console.note(
        f"best epoch {summary.best_epoch}{judged}; {summary.seconds:.1f} s; run {summary.run_dir}"
    )
    if run.val_is_seen:
        console.warn(
            "the weights it began with have learnt from validation images: val accuracy is no test"
        )
    if run.source.is_sample:
        console.note(
            "trained on the sample in the package: train on fashion-mnist for a good model"
        )
