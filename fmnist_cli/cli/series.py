"""One training run, or a series of runs that differ only in their seed (`train --seeds`)."""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from fmnist_cli.cli import console
from fmnist_cli.cli.tables import with_interval
from fmnist_cli.errors import FmnistError, UsageError

if TYPE_CHECKING:
    from fmnist_cli.training.options import TrainConfig
    from fmnist_cli.training.results import Summary
    from fmnist_cli.training.run import Run


def train_all(run: "Run", fit: Callable[["Run"], None], *, resumes: bool, as_json: bool) -> None:
    """Train for the run's own seed and for those after it in `--seeds`; print the results.

    fit: trains one run in this process. resumes: whether `run` continues an earlier one.
    """
    has_seeds = bool(run.config.seeds)
    if has_seeds and as_json and _launches(run):
        raise UsageError("--seeds with --nproc prints no JSON; fmnist runs --format json does")
    summaries = []
    for summary, is_printed in _results(run, fit, resumes=resumes):
        summaries.append(summary)
        if not as_json and not is_printed:
            console.result(summary.model)
            console.results().flush()
    if summaries and has_seeds:
        _conclude(summaries, run.config.seed_values(), as_json=as_json)
    elif summaries and as_json:
        console.print_json(asdict(summaries[0]))


def _launches(run: "Run") -> bool:
    """Whether this process starts others that train."""
    return run.config.nproc > 1 and "RANK" not in os.environ


def _results(
    run: "Run", fit: Callable[["Run"], None], *, resumes: bool
) -> "Iterator[tuple[Summary, bool]]":
    """Each result in the order of `--seeds`, and whether another process has printed it.

    Next to a resumed run, a seed that is finished is not trained again, and one before it that is
    not in place is left out. A process that writes no files has no results.
    """
    own = run.config.seed
    seeds = run.config.seed_values()
    if not seeds or "RANK" in os.environ:  # the launching process sees to the other seeds
        seeds = [own]
    for place, seed in enumerate(seeds):
        if resumes and seed != own:
            summary = _recorded(_output(run, seed), replace(run.config, seed=seed))
            if summary is not None:
                yield summary, False
                continue
        if place < seeds.index(own):
            continue
        each = run if seed == own else _with_seed(run, seed)
        if not _launches(run):
            fit(each)
            if each.summary is not None:
                yield each.summary, False
            continue
        _launch(each, run if resumes else None)
        summary = _recorded(each.output) if run.config.seeds else None
        if summary is not None:
            yield summary, True


def _recorded(model: Path, config: "TrainConfig | None" = None) -> "Summary | None":
    """The result that a model file and its run directory record; None if they don't."""
    from fmnist_cli.runs.record import read_summary

    with contextlib.suppress(FmnistError):
        return read_summary(model, config)
    return None


def _output(run: "Run", seed: int | None) -> Path:
    """The model file of another seed; None: the one that `--output` names."""
    stem = run.output.stem.removesuffix(f"-seed{run.config.seed}")
    return run.output.with_stem(stem if seed is None else f"{stem}-seed{seed}")


def _with_seed(run: "Run", seed: int) -> "Run":
    run_dir = run.run_dir
    if run_dir is not None:
        is_own = run_dir.name == f"seed{run.config.seed}"
        run_dir = run_dir.with_name(f"seed{seed}") if is_own else None
    return run.with_seed(seed, output=_output(run, seed), run_dir=run_dir)


def _launch(run: "Run", resumed: "Run | None") -> None:
    """Train with one seed in several processes.

    They get this command line, which does not name a new run after a resumed one: that gets the
    resumed run's options.
    """
    from fmnist_cli.training.launch import launch
    from fmnist_cli.training.run_directory import OPTIONS_FILE

    words = sys.argv[1:]
    if resumed is not None and resumed.run_dir is not None and run is not resumed:
        words = ["train", "--config", str(resumed.run_dir / OPTIONS_FILE)]
        words += ["--seeds", str(run.config.seeds)]
        words += ["--output", str(_output(run, None))]
        words += ["--run-dir", str(run.run_dir.parent)] if run.run_dir else []
        words += ["--data-dir", str(run.source.data_dir)] if run.source.data_dir else []
        words += [word for mirror in run.source.mirrors for word in ("--mirror", mirror)]
        words += ["--quiet"] * console.is_quiet()
    if run.config.seeds and run is not resumed:
        words += ["--seed", str(run.config.seed)]
    launch(run.config.nproc, ["-m", "fmnist_cli", *words])


def _conclude(summaries: "list[Summary]", all_seeds: list[int], *, as_json: bool) -> None:
    """Report the mean over the seeds."""
    from fmnist_cli.runs.groups import Estimate

    accuracies = [s.val_accuracy for s in summaries if s.val_accuracy is not None]
    estimate = Estimate.of_shares(accuracies)
    if as_json:
        runs = [asdict(each) for each in summaries]
        console.print_json({"runs": runs, "val_accuracy": asdict(estimate)})
    if estimate.mean is None or "RANK" in os.environ:  # the launching process joins the seeds
        return
    seeds = "1 seed" if estimate.n == 1 else f"{estimate.n} seeds"
    if len(summaries) < len(all_seeds):
        covered = ", ".join(str(summary.seed) for summary in summaries)
        seeds = f"{len(summaries)} of {len(all_seeds)} seeds ({covered})"
    console.note(f"{seeds}: val accuracy {with_interval(estimate.mean, estimate.ci95)}")
