"""What a run directory records, and how runs are selected and ordered."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from fmnist_cli.errors import DataError, MissingInput, UsageError
from fmnist_cli.runs.record import (
    RunRecord,
    beyond_recipes,
    differing_options,
    find_runs,
    read_run,
    select,
    sort,
)
from fmnist_cli.training.recipes import configure
from fmnist_cli.training.run_directory import RunDirectory
from tests.runs.written_runs import write_run


@pytest.fixture
def three(tmp_path: Path) -> list[RunRecord]:
    write_run(tmp_path / "a", lr=0.1)
    write_run(tmp_path / "b", (0.5,), recipe="default", ema=0.99, is_finished=False)
    write_run(tmp_path / "c", (0.6, 0.95), lr=0.1, augment="flip,shift:1")
    return find_runs([tmp_path])[0]


def names(runs: list[RunRecord]) -> str:
    return "".join(run.name for run in runs)


def test_a_run_is_what_its_files_say(three: list[RunRecord]) -> None:
    a, b, _ = three
    assert (a.recipe, a.epochs, a.val_accuracy, a.state) == ("fast", 3, 0.9, "finished")
    assert (a.seconds, a.images_per_second) == (6.0, 1000.0)
    assert a.best is not None
    assert a.best["epoch"] == 2
    assert (b.epochs, b.val_accuracy, b.state) == (1, 0.5, "stopped")
    assert differing_options(three) == ["lr", "augment", "ema"]


def test_what_the_recipes_set_is_told_apart_from_what_the_user_chose(tmp_path: Path) -> None:
    for number, (recipe, device, changed) in enumerate(
        (("fast", "cpu", {}), ("fast", "cuda:0", {}), ("best", "cuda:0", {"lr": 0.3}))
    ):
        config = asdict(configure(**{"recipe": recipe, "device": device, **changed}))
        write_run(tmp_path / str(number), **{k: v for k, v in config.items() if v is not None})
    runs = find_runs([tmp_path])[0]
    assert {"model", "batch-size", "ema", "lr"} <= set(differing_options(runs))
    assert beyond_recipes(runs, differing_options(runs)) == ["lr", "device"]


def test_the_monitored_metric_decides_which_epoch_is_best(tmp_path: Path) -> None:
    path = write_run(tmp_path / "a", losses=(0.5, 0.6, 0.4), monitor="loss")
    assert read_run(path, "a").val_accuracy == 0.8


def test_a_run_without_validation_and_one_before_its_first_epoch(tmp_path: Path) -> None:
    run = read_run(write_run(tmp_path / "a", ()), "a")
    assert (run.epochs, run.val_accuracy, run.images_per_second) == (0, None, None)
    run = read_run(write_run(tmp_path / "b", (None,), (None,)), "b")
    assert (run.epochs, run.val_accuracy) == (1, None)


@pytest.mark.parametrize(
    ("conditions", "found"),
    [
        (["recipe=fast"], "ac"),
        (["recipe=fast", "augment=none"], "a"),
        (["lr=0.10"], "ac"),
        (["--batch_size=256"], "abc"),
        (["ema="], "ac"),
        (["state=stopped"], "b"),
        (["lr=much"], ""),
    ],
)
def test_select(three: list[RunRecord], conditions: list[str], found: str) -> None:
    assert names(select(three, conditions)) == found


@pytest.mark.parametrize(
    ("key", "order"),
    [
        ("name", "abc"),
        ("val_accuracy", "cab"),
        ("val-accuracy", "cab"),
        ("epochs", "bca"),
        ("lr", "acb"),
        ("ema", "bac"),  # runs without a value come last
        ("augment", "cab"),
    ],
)
def test_sort(three: list[RunRecord], key: str, order: str) -> None:
    assert names(sort(three, key)) == order


def test_an_unknown_option_is_named_with_the_likely_one(three: list[RunRecord]) -> None:
    with pytest.raises(UsageError, match="did you mean 'augment'"):
        select(three, ["augmnt=none"])
    with pytest.raises(UsageError, match="expected OPTION=VALUE"):
        select(three, ["fast"])
    with pytest.raises(UsageError, match="did you mean 'seconds'"):
        sort(three, "second")


@pytest.mark.parametrize(
    ("file", "content", "reason"),
    [
        ("run.toml", "recipe = ", "damaged"),
        ("run.toml", "recipe = 'fast'\nepochs = 3", "seed"),
        ("run.toml", None, "run.toml: No such file"),
        ("history.csv", None, "history.csv: No such file"),
        ("history.csv", "", "history.csv"),
        ("history.csv", "epoch,train_loss\n1,2\n", "damaged"),
        ("history.csv", "\0\xff", "history.csv"),
    ],
)
def test_a_damaged_run_is_named_and_the_others_are_read(
    tmp_path: Path, file: str, content: str | None, reason: str
) -> None:
    write_run(tmp_path / "good")
    damaged = write_run(tmp_path / "bad") / file
    if content is None:
        damaged.unlink()
    else:
        damaged.write_text(content, encoding="utf-8")
    runs, errors = find_runs([tmp_path])
    assert names(runs) == "good"
    assert len(errors) == 1
    assert str(tmp_path / "bad") in str(errors[0])
    assert reason in str(errors[0])


@pytest.mark.parametrize("value", ["inf", "nan", "x"])
def test_a_figure_that_is_no_number_is_damage(tmp_path: Path, value: str) -> None:
    path = write_run(tmp_path / "a", (0.125,))
    history = path / "history.csv"
    text = history.read_text(encoding="utf-8")
    history.write_text(text.replace("0.125", value), encoding="utf-8")
    with pytest.raises(DataError, match="skipped"):
        read_run(path, "a")


def test_runs_are_found_up_to_three_levels_below(tmp_path: Path) -> None:
    for name in ("b", "a/seed1", "a/seed0", "x/y/z", "x/y/z/too-deep"):
        write_run(tmp_path / name)
    found = [str(Path("a/seed0")), str(Path("a/seed1")), "b", str(Path("x/y/z"))]
    assert [run.name for run in find_runs([tmp_path])[0]] == found
    assert [run.name for run in find_runs([tmp_path / "b"])[0]] == ["b"]
    both = find_runs([tmp_path / "a", tmp_path / "b"])[0]
    assert [run.path for run in both] == [tmp_path / name for name in ("a/seed0", "a/seed1", "b")]


def test_other_directories_are_no_runs(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "notes.txt").touch()
    assert find_runs([tmp_path]) == ([], [])
    with pytest.raises(MissingInput, match="fmnist train"):
        find_runs([tmp_path / "none"])


@pytest.fixture
def holder(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Another process that holds the lock of the directory `run`."""
    path = write_run(tmp_path / "run")
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from fmnist_cli.training.run_directory import RunDirectory\n"
        "with RunDirectory(Path(sys.argv[1])).locked():\n"
        "    print('locked', flush=True)\n    sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", code, str(path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "locked\n"
        yield process
        process.kill()


def test_a_run_is_running_until_its_process_ends(
    holder: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    directory = RunDirectory(tmp_path / "run")
    assert directory.state() == "running"  # though it was finished before it was resumed
    assert directory.state() == "running"  # asking does not take the lock
    holder.kill()
    holder.wait()
    assert directory.state() == "stopped"
    with directory.locked():
        pass
