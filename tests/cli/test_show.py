"""`fmnist show`: samples and mistakes, on a terminal, as pictures and as JSON."""

import csv
from pathlib import Path

from PIL import Image
from rich.cells import cell_len

from fmnist_cli.data.pictures import write_png
from fmnist_cli.data.sample import read
from tests.cli.conftest import Program
from tests.cli.schemas import parse


def test_samples_are_spread_over_the_classes(fmnist: Program) -> None:
    drawn = ("show", "--data", "sample:600", "-n", "20")
    shown = fmnist.json(*drawn, schema="show")
    assert shown["output"] is None
    assert sorted(sample["label"] for sample in shown["samples"]) == sorted([*range(10)] * 2)
    assert fmnist.json(*drawn, "--seed", "1") != shown


def test_errors_are_the_mistakes_that_evaluate_counts(
    fmnist: Program, trained_model: Path, tmp_path: Path
) -> None:
    chosen = ("--data", "sample:600")
    done = fmnist("evaluate", trained_model, *chosen, "--predictions", tmp_path / "p.csv")
    with (tmp_path / "p.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    wrong = [row for row in rows if row["label"] != row["predicted_label"]]
    assert wrong, "a model without mistakes proves nothing here"
    wrong.sort(key=lambda row: float(row[f"p{row['label']}"]))

    grid = tmp_path / "errors.png"
    done = fmnist(
        *("show", "--errors", trained_model, *chosen, "-n", "5", "--format", "json", "-o", grid),
        *("--threads", "1"),
    )
    shown = parse(done.stdout, "show")
    assert f"{len(wrong):,} of {len(rows):,} images" in done.stderr
    assert [sample["index"] for sample in shown["samples"]] == [
        int(row["index"]) for row in wrong[:5]
    ]
    for sample, row in zip(shown["samples"], wrong, strict=False):
        assert sample["predicted_class"] == row["predicted_class"]
        assert abs(sample["probability"] - float(row["probability"])) < 1e-6
    assert shown["output"] == str(grid)
    assert Image.open(grid).width > 5 * 112


def test_errors_name_both_classes_in_a_pipe(fmnist: Program, trained_model: Path) -> None:
    done = fmnist("show", "--errors", trained_model, "--data", "sample:600", "-n", "1")
    *picture, true, taken = done.stdout.splitlines()
    assert len(picture) == 14
    assert true
    assert taken.startswith("as ")
    assert taken.endswith("%")


def test_names_in_any_script_name_files_and_stay_in_columns(
    fmnist: Program, tmp_path: Path
) -> None:
    for number, name in enumerate(("跑步鞋", "007_猫_B")):
        write_png(tmp_path / "data" / name / "x.png", read("test").images[number])
    shown = fmnist("show", "--data", "data").stdout
    names = shown.splitlines()[-1]
    second = names.split(maxsplit=1)[1]
    assert cell_len(names) - cell_len(second) == 30
    fmnist("show", "--data", "data", "-o", "out/")
    written = sorted(path.name[5:] for path in (tmp_path / "out").iterdir())
    assert written == ["007-猫-b.png", "跑步鞋.png"]
