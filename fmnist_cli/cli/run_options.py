"""The options of `fmnist train` that say where a run computes, and what it leaves behind."""

from pathlib import Path
from typing import Annotated, Final

from fmnist_cli.cli.options import DEFAULT_MODEL
from fmnist_cli.cli.train_options import BY_RECIPE, option
from fmnist_cli.training.options import PrecisionName

HARDWARE: Final = "Hardware"
RUNS: Final = "Runs"

TrainDeviceOption = Annotated[
    str | None,
    option(
        "--device",
        help="auto, cpu, cuda, cuda:N or mps.",
        panel=HARDWARE,
        metavar="NAME",
        envvar="FMNIST_DEVICE",
    ),
]
TrainPrecisionOption = Annotated[
    PrecisionName | None,
    option(
        "--precision",
        help="Arithmetic: auto, fp32, bf16 or fp16.",
        panel=HARDWARE,
        metavar="NAME",
    ),
]
CompileOption = Annotated[
    bool | None, option("--compile", help="Use torch.compile.", panel=HARDWARE)
]
CudaGraphOption = Annotated[
    bool | None,
    option(
        "--cuda-graph/--no-cuda-graph",
        help="Record a training step and replay it, on a CUDA device.",
        panel=HARDWARE,
        default=BY_RECIPE,
    ),
]
NprocOption = Annotated[
    int | None,
    option("--nproc", help="Processes that share each batch.", panel=HARDWARE, metavar="N", min=1),
]
TrainThreadsOption = Annotated[
    int | None,
    option(
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
    option(
        *("--output", "-o"),
        help="Model file to write.",
        panel=RUNS,
        metavar="FILE",
        default=str(DEFAULT_MODEL),
    ),
]
RunDirOption = Annotated[
    Path | None,
    option(
        "--run-dir",
        help="Folder of the run.",
        panel=RUNS,
        metavar="DIR",
        default="runs/<date>-<time>-<model>",
    ),
]
SeedOption = Annotated[
    int | None,
    option("--seed", help="Decides every random number.", panel=RUNS, metavar="N", min=0),
]
DeterministicOption = Annotated[
    bool | None,
    option(
        "--deterministic", help="Refuse operations that may differ from run to run.", panel=RUNS
    ),
]
ResumeOption = Annotated[
    str | None,
    option("--resume", help="Go on with a run.", panel=RUNS, default="", metavar="RUN_DIR|last"),
]
TensorboardOption = Annotated[
    bool | None, option("--tensorboard", help="Write TensorBoard events.", panel=RUNS)
]
