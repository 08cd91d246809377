"""`fmnist compare` as users and scripts meet it."""

import csv
import shutil
from io import StringIO
from pathlib import Path

import pytest

from tests.cli.conftest import Program
from tests.written_models import write_checkpoint


@pytest.fixture(scope="session")
def untrained_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with random weights."""
    return write_checkpoint(tmp_path_factory.mktemp("untrained") / "random.pt")


def test_json_fits_its_schema_and_csv_lists_the_same_images(
    fmnist: Program, trained_model: Path, untrained_model: Path
) -> None:
    arguments = ("compare", "-q", trained_model, untrained_model, "--data", "sample")
    document = fmnist.json(*arguments, schema="compare")
    accuracies = document["b"]["accuracy"] - document["a"]["accuracy"]
    assert document["difference"] == pytest.approx(accuracies)
    assert document["difference_ci95"][1] < 0
    assert document["mcnemar_p"] < 0.01
    assert document["mcnemar_test"] == "chi-squared"
    assert document["same_model"] is False
    assert document["n_differing"] == len(document["differing"])
    assert document["agreement"] == pytest.approx(1 - document["n_differing"] / document["n"])
    rows = list(csv.DictReader(StringIO(fmnist(*arguments, "--format", "csv").stdout)))
    assert [int(row["index"]) for row in rows] == [one["index"] for one in document["differing"]]
    assert all(row["a"] != row["b"] for row in rows)


def test_table_lists_the_first_images_that_differ(
    fmnist: Program, trained_model: Path, untrained_model: Path
) -> None:
    done = fmnist("compare", trained_model, untrained_model, "--data", "sample", "--list", "3")
    facts, _, listed = done.stdout.partition("\n\n")
    assert "(sample in the package)" in facts
    assert "McNemar's p" in facts
    assert len(listed.splitlines()) == 4
    assert "more differ" in done.stderr


def test_the_same_model_is_named_as_such(
    fmnist: Program, untrained_model: Path, tmp_path: Path
) -> None:
    copy = shutil.copy(untrained_model, tmp_path / "copy.pt")
    done = fmnist("compare", untrained_model, copy)
    assert "same model" in done.stdout
    assert "agreement" in done.stdout
    assert "0 images differ" in done.stdout
