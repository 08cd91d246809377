"""`fmnist runs` as users and scripts meet it."""

import csv
import json
import re
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path

import pytest

from tests.cli.conftest import Program
from tests.cli.schemas import parse
from tests.runs.written_runs import write_run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two groups of two seeds, one stopped run, one damaged one."""
    folder = tmp_path_factory.mktemp("compared")
    for seed in (0, 1):
        write_run(folder / f"runs/plain-{seed}", (0.80, 0.90 + seed / 100), seed=seed)
        write_run(
            folder / f"runs/smooth-{seed}", (0.92 + seed / 50,), seed=seed, label_smoothing=0.1
        )
    write_run(folder / "runs/<b>[red]$x", (0.1,), seed=7, is_finished=False)
    (write_run(folder / "runs/zz-damaged") / "history.csv").write_text("epoch\n1")
    return folder


def test_the_table_lists_every_run_and_names_a_damaged_one(fmnist: Program, folder: Path) -> None:
    done = fmnist("runs", "--sort", "val_accuracy", cwd=folder)
    header, *lines = done.stdout.splitlines()
    assert header.split()[:3] == ["name", "recipe", "options"]
    shown = [line.split()[0] for line in lines]
    assert shown == ["smooth-1", "smooth-0", "plain-1", "plain-0", "<b>[red]$x"]
    assert "seed 1, label-smoothing 0.1" in lines[0]
    assert lines[0].split()[-5:] == ["1/3", "94.00%", "2", "1,000", "finished"]
    assert lines[-1].endswith("stopped")
    assert "zz-damaged" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_options_that_are_not_set_take_no_room(fmnist: Program, tmp_path: Path) -> None:
    write_run(tmp_path / "runs/a")
    write_run(tmp_path / "runs/b", ema=0.999, tensorboard=False)
    write_run(tmp_path / "runs/c", weights="pretrained")
    _, *rows = fmnist("runs", cwd=tmp_path).stdout.splitlines()
    assert [" ".join(row.split()[2:-5]) for row in rows] == ["", "ema 0.999", "weights pretrained"]
    document = parse(fmnist("runs", "--format", "json", cwd=tmp_path).stdout, "runs")
    assert document["differing"] == ["ema", "tensorboard", "weights"]


def test_json_and_csv_hold_the_same_runs(fmnist: Program, folder: Path) -> None:
    arguments = ("runs", "-q", "--where", "state=finished", "--where", "seed=1")
    document = fmnist.json(*arguments, cwd=folder, schema="runs")
    assert document["differing"] == ["label-smoothing"]
    assert [run["name"] for run in document["runs"]] == ["plain-1", "smooth-1"]
    assert document["runs"][0]["options"] == {"label-smoothing": None}
    assert "zz-damaged" in document["skipped"][0]
    rows = list(csv.DictReader(StringIO(fmnist(*arguments, "--format", "csv", cwd=folder).stdout)))
    assert [float(row["val_accuracy"]) for row in rows] == [
        run["val_accuracy"] for run in document["runs"]
    ]
    assert [row["label-smoothing"] for row in rows] == ["", "0.1"]
    assert Path(rows[0]["run_dir"]) == Path("runs/plain-1")


def test_two_groups_are_compared_by_seed(fmnist: Program, folder: Path) -> None:
    done = fmnist("runs", "--group", "--format", "json", cwd=folder)
    document = parse(done.stdout, "runs")
    assert "not finished: 1 of 5" in done.stderr
    assert [(group["n"], group["seeds"]) for group in document["groups"]] == [(2, [0, 1])] * 2
    assert document["groups"][0]["val_accuracy"] == pytest.approx(0.905)
    # t = 12.7062 for one degree of freedom; the differences are 0.02 and 0.03.
    assert document["difference"]["val_accuracy"] == pytest.approx(0.025)
    half = 12.7062 * 0.005
    assert document["difference"]["val_accuracy_ci95"] == pytest.approx(
        [0.025 - half, 0.025 + half], abs=1e-6
    )
    table = fmnist("runs", "--group", "-q", cwd=folder).stdout
    assert "second - first, by seed: +2.50 points, 95% interval -3.85 to +8.85, n = 2" in table
    rows = fmnist("runs", "--group", "-q", "--format", "csv", cwd=folder).stdout.splitlines()
    assert rows[0].startswith("recipe,n,val_accuracy,ci95_low,ci95_high,")
    assert len(rows) == 3


@pytest.mark.parametrize("group", [(), ("--group",)])
@pytest.mark.parametrize(
    ("name", "start"), [("c.png", b"\x89PNG"), ("c.svg", b"<?xml"), ("c.html", b"<!doctype html>")]
)
def test_curves(
    fmnist: Program, folder: Path, tmp_path: Path, name: str, start: bytes, group: tuple[str, ...]
) -> None:
    fmnist("runs", "--curves", tmp_path / name, *group, cwd=folder)
    content = (tmp_path / name).read_bytes()
    assert content.startswith(start)
    if name.endswith("html"):
        assert b"default-src 'none'" in content
        assert b"<b>[red]" not in content
        # Only finished runs are grouped.
        assert (b"&lt;b&gt;[red]$x" in content) == (group == ())


def test_grouped_curves_are_means_with_their_range(
    fmnist: Program, folder: Path, tmp_path: Path
) -> None:
    page = tmp_path / "c.html"
    fmnist("runs", "--group", "--curves", page, cwd=folder)
    (line,) = re.findall(r"^const curves = (.+);$", page.read_text(), re.MULTILINE)
    plain, smooth = json.loads(line)
    assert (plain["label"], plain["detail"]) == ("fast label-smoothing -", "2 runs")
    assert (smooth["label"], smooth["detail"]) == ("fast label-smoothing 0.1", "2 runs")
    first, second = plain["points"]["val_accuracy"]
    assert first == pytest.approx([1, 0.80, 0.80, 0.80])
    assert second == pytest.approx([2, 0.905, 0.90, 0.91])


def test_runs_that_training_left(fmnist: Program, trained_model: Path) -> None:
    document = fmnist.json("runs", cwd=trained_model.parent, schema="runs")
    (run,) = document["runs"]
    assert (run["epochs"], run["state"]) == (2, "finished")
    assert 0 < run["val_accuracy"] < 1


def test_thousands_of_runs_take_seconds_and_no_torch(tmp_path: Path) -> None:
    for number in range(2_000):
        write_run(tmp_path / f"runs/{number:04}", [0.5] * 20, seed=number)
    code = (
        "import sys\nfrom fmnist_cli.__main__ import main\n"
        "try:\n    main()\nfinally:\n"
        "    assert not {'torch', 'scipy', 'pandas', 'matplotlib'} & sys.modules.keys()\n"
    )
    started_at = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code, "runs", "--group"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert " 2000 " in done.stdout
    assert time.perf_counter() - started_at < 10  # 2 s on an idle machine
