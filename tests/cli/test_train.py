"""`fmnist train` as users and scripts run it."""

import csv
import re
import shutil
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from benchmarks.program import write_idx
from fmnist_cli.checkpoints import checkpoint
from fmnist_cli.checkpoints.archive import read_metadata
from fmnist_cli.data.sources import open_source
from tests.cli.conftest import Program
from tests.training.small import assert_same

QUICK = (
    *("--data", "sample:600", "--model", "tutorial", "--val-size", "100"),
    *("--batch-size", "50", "--lr", "0.02", "--augment", "none", "--warmup", "0", "--threads", "1"),
)


@pytest.fixture(scope="module")
def run(program: Program, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder where two epochs were trained: model.pt, run/, stdout.txt and stderr.txt."""
    folder = tmp_path_factory.mktemp("run")
    done = program("train", *QUICK, "--epochs", "2", "--run-dir", "run", cwd=folder)
    (folder / "stdout.txt").write_text(done.stdout)
    (folder / "stderr.txt").write_text(done.stderr)
    return folder


def weights(path: Path) -> dict[str, torch.Tensor]:
    return checkpoint.load(path).model.state_dict()


def test_stdout_is_the_models_path_and_stderr_a_line_an_epoch(run: Path) -> None:
    assert (run / "stdout.txt").read_text() == "model.pt\n"
    err = (run / "stderr.txt").read_text()
    assert re.findall(r"^epoch (\d)/2  loss ", err, re.MULTILINE) == ["1", "2"]
    assert "trained on the sample" in err
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", err)


def test_the_run_folder_is_complete(run: Path) -> None:
    assert {"run.toml", "history.csv", "curves.png", "last.pt"} <= {
        file.name for file in (run / "run").iterdir()
    }
    options = tomllib.loads((run / "run/run.toml").read_text())
    assert options["data"] == "sample:600"
    assert options["threads"] == 1
    rows = list(csv.DictReader((run / "run/history.csv").open()))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert float(rows[1]["train_loss"]) < float(rows[0]["train_loss"])
    assert (run / "run/curves.png").read_bytes().startswith(b"\x89PNG")


def test_the_model_says_where_it_comes_from(run: Path) -> None:
    metadata = read_metadata(run / "model.pt").to_json()
    assert metadata["model"] == {
        "name": "tutorial",
        "options": {},
        "parameters": 582_026,
        "macs": 4_267_008,
    }
    assert metadata["preparation"] == {"mean": 0.0, "std": 1.0}
    assert metadata["data"]["spec"] == "sample:600"
    assert metadata["data"]["n_train"] == 500
    assert metadata["data"]["val_size"] == 100
    assert metadata["metrics"]["epoch"] in (1, 2)
    rows = csv.DictReader((run / "run/history.csv").open())
    best = max(float(row["val_accuracy"]) for row in rows)
    assert metadata["metrics"]["val_accuracy"] == pytest.approx(best, abs=1e-6)


def test_its_own_options_fed_back_give_the_same_weights(
    fmnist: Program, run: Path, tmp_path: Path
) -> None:
    fmnist("train", "-q", "--config", run / "run/run.toml")
    assert_same(weights(run / "model.pt"), weights(tmp_path / "model.pt"))


def test_the_command_line_wins_over_the_config_and_json_is_one_document(
    fmnist: Program, run: Path, tmp_path: Path
) -> None:
    options = ("--config", run / "run/run.toml", "--epochs", "1")
    summary = fmnist.json("train", *options, schema="train")
    assert list(summary) == [
        *("model", "run_dir", "recipe", "epochs", "seconds", "images_per_second"),
        *("val_accuracy", "best_epoch", "seed", "device", "data"),
    ]
    assert (summary["data"], summary["epochs"]) == ("sample:600", 1)
    assert (tmp_path / summary["model"]).is_file()
    assert (tmp_path / summary["run_dir"] / "last.pt").is_file()


def test_a_finished_run_is_extended(fmnist: Program, tmp_path: Path) -> None:
    # A constant learning rate does not depend on the number of epochs.
    train = ("train", "-q", *QUICK, "--schedule", "constant")
    fmnist(*train, "--epochs", "2", "-o", "whole.pt")
    fmnist(*train, "--epochs", "1", "--run-dir", "t", "-o", "parts.pt")
    fmnist("train", "-q", "--resume", "t", "--epochs", "2")
    assert len(list(csv.DictReader((tmp_path / "t/history.csv").open()))) == 2
    assert_same(weights(tmp_path / "whole.pt"), weights(tmp_path / "parts.pt"))


def test_a_run_is_not_resumed_with_fewer_epochs_than_are_done(fmnist: Program, run: Path) -> None:
    before = {path: path.read_bytes() for path in (run / "run").iterdir()}
    done = fmnist("train", "--resume", "run", "--epochs", "1", cwd=run, code=2)
    assert "'run' has done 2 epochs" in done.stderr
    assert {path: path.read_bytes() for path in (run / "run").iterdir()} == before


def test_resumed_on_other_data_is_refused(fmnist: Program, run: Path, tmp_path: Path) -> None:
    loaded = checkpoint.load_training(run / "run/last.pt")
    folder = tmp_path / "r"
    assert loaded.metadata.data is not None
    data = replace(loaded.metadata.data, fingerprint="0" * 16)
    metadata = replace(loaded.metadata, data=data)
    checkpoint.save(
        folder / "last.pt", loaded.model.state_dict(), metadata, training=loaded.training
    )
    done = fmnist("train", "--resume", folder, code=65)
    assert "not the data that the run began with" in done.stderr


def test_training_needs_no_test_files(fmnist: Program, mirror: Path, tmp_path: Path) -> None:
    """From a folder with the two training files, and from a cache that holds no others."""
    cache = tmp_path / "cache"
    cache.mkdir()
    for name in ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"):
        (cache / name).symlink_to(mirror / name)
    data = open_source(data_dir=cache).read("train")
    assert len(data) == 60_000
    folder = write_idx(data[:600], tmp_path / "folder")
    common = ("--epochs", "1", "--val-size", "100", "--model", "tutorial", "-q", "--lr", "0.01")
    fmnist("train", *common, "--data", folder)
    assert not list(tmp_path.rglob("t10k*"))


def test_tensorboard_events_are_read_by_tensorboard(fmnist: Program, tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    fmnist("train", "-q", *QUICK, "--epochs", "2", "--run-dir", "r", "--tensorboard")
    events = EventAccumulator(str(tmp_path / "r"))
    events.Reload()
    assert {"loss/train", "loss/val", "accuracy/val", "lr"} <= set(events.Tags()["scalars"])
    assert [event.step for event in events.Scalars("loss/train")] == [1, 2]
    assert events.Tags()["images"] == ["augmented"]
    (described,) = (
        events.SummaryMetadata(tag).plugin_data.content for tag in ("_hparams_/session_start_info",)
    )
    assert b"learning" in described or b"lr" in described


def test_fine_tuning_starts_from_a_file(fmnist: Program, run: Path, tmp_path: Path) -> None:
    fmnist(
        *("train", "-q", *QUICK, "--epochs", "1", "--weights", run / "model.pt"),
        "--freeze-backbone",
    )
    before, after = weights(run / "model.pt"), weights(tmp_path / "model.pt")
    for name, value in before.items():
        assert torch.equal(after[name], value) != name.startswith("fc.2"), name


def test_the_fast_recipe_learns_real_garments(
    fmnist: Program, mirror: Path, tmp_path: Path
) -> None:
    """A floor under learning: 4,000 images, four epochs, evaluated on another 500."""
    folder = write_idx(open_source(data_dir=mirror).read("train")[:4_500], tmp_path / "folder")
    train = ("train", "-q", "--recipe", "fast", "--data", folder, "--val-size", "500")
    assert fmnist.json(*train, "--epochs", "4")["val_accuracy"] > 0.7


def test_seeds_are_the_runs_that_single_commands_give(fmnist: Program) -> None:
    quick = ("--data", "sample:200", "--recipe", "fast", "--epochs", "1", "-b", "50")
    done = fmnist("train", *quick, "--seeds", "3-4", "--run-dir", "runs")
    assert done.stdout == "model-seed3.pt\nmodel-seed4.pt\n"
    assert "2 seeds: val accuracy" in done.stderr
    fmnist("train", *quick, "--seed", "4", "-o", "single.pt")
    found = fmnist.json("compare", "model-seed4.pt", "single.pt")
    assert found["n_differing"] == 0
    assert found["a"]["accuracy"] == found["b"]["accuracy"]
    other = fmnist.json("compare", "model-seed3.pt", "single.pt")
    assert other["n_differing"] > 0
    grouped = fmnist.json("runs", "--group")
    assert [each["seeds"] for each in grouped["groups"]] == [[3, 4]]


def test_a_stopped_series_of_seeds_goes_on(fmnist: Program, tmp_path: Path) -> None:
    quick = ("--data", "sample:200", "--recipe", "fast", "--epochs", "1", "-b", "50")
    series = ("train", *quick, "--seeds", "0-2", "--run-dir", "runs/off")
    whole = fmnist.json(*series)
    stopped = ("runs/off/seed2", "runs/off/seed1/curves.png", "model-seed1.pt", "model-seed2.pt")

    def interrupt() -> None:
        for name in stopped:
            path = tmp_path / name
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    interrupt()
    resume = ("train", "--resume", "last")
    found = fmnist.json(*resume)
    assert found["runs"][0] == whole["runs"][0]
    assert [each["seed"] for each in found["runs"]] == [0, 1, 2]
    assert found["val_accuracy"] == whole["val_accuracy"]
    assert (tmp_path / "model-seed2.pt").exists()
    assert (tmp_path / "runs/off/seed2/curves.png").exists()
    interrupt()
    done = fmnist(*resume)
    assert done.stdout == "model-seed0.pt\nmodel-seed1.pt\nmodel-seed2.pt\n"
    assert "3 seeds: val accuracy" in done.stderr
    interrupt()
    (tmp_path / "model-seed0.pt").unlink()
    done = fmnist(*resume)
    assert done.stdout == "model-seed1.pt\nmodel-seed2.pt\n"
    assert "2 of 3 seeds (1, 2): val accuracy" in done.stderr
    written_at = (tmp_path / "model-seed2.pt").stat().st_mtime_ns
    assert fmnist(*resume[:-1], "runs/off/seed1").stdout == done.stdout
    assert (tmp_path / "model-seed2.pt").stat().st_mtime_ns == written_at


def test_find_lr_suggests_a_rate_and_leaves_no_trace(fmnist: Program, tmp_path: Path) -> None:
    quick = ("train", "--find-lr", "--data", "sample", "--recipe", "fast", "--threads", "1")
    found = fmnist.json(*quick, "-b", "32", "-o", "lr.png")
    assert 0.4 / 3 < found["suggestion"] < 0.4 * 3
    assert len(found["rates"]) == len(found["losses"]) > 50
    assert [path.name for path in tmp_path.iterdir()] == ["lr.png"]
