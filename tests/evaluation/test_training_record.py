from pathlib import Path

import numpy as np
import pytest

from fmnist_cli.data import sample
from fmnist_cli.data.sources import open_source
from fmnist_cli.errors import DataError, MissingInput, UsageError
from fmnist_cli.evaluation.training_record import open_evaluated, read_split
from tests.data.written_formats import npz, write
from tests.evaluation.evaluated_models import VAL_SIZE, trained_on, training_part, without_record

SPEC = "sample:200"


def test_val_is_what_training_held_out(tmp_path: Path) -> None:
    model = trained_on(tmp_path / "m.pt", SPEC)
    source = open_evaluated(model, None)
    assert source.spec == SPEC
    val, train = read_split(source, "val", model), read_split(source, "train", model)
    assert (len(val), len(train)) == (VAL_SIZE, 200 - VAL_SIZE)
    np.testing.assert_array_equal(train.images, training_part(source.read("train")).images)
    assert len(read_split(source, "test", model)) == 500


def test_train_of_other_data_is_all_of_it_and_has_no_val(tmp_path: Path) -> None:
    model = trained_on(tmp_path / "m.pt", SPEC)
    other = open_source("sample:100")
    assert len(read_split(other, "train", model)) == 100
    with pytest.raises(DataError, match="not the training data of the model"):
        read_split(other, "val", model)


def test_no_validation_split_is_a_wrong_usage(tmp_path: Path) -> None:
    model = trained_on(tmp_path / "m.pt", SPEC, changes={"val_size": 0})
    with pytest.raises(UsageError, match="without a validation split"):
        read_split(open_source(SPEC), "val", model)


def test_a_record_that_leaves_no_training_images_is_refused(tmp_path: Path) -> None:
    model = trained_on(tmp_path / "m.pt", SPEC, changes={"val_size": 200, "split_seed": None})
    with pytest.raises(DataError, match="not the training data of the model"):
        read_split(open_source(SPEC), "train", model)


@pytest.mark.parametrize(("val_size", "advised"), [(VAL_SIZE, "val"), (0, "train")])
def test_without_a_test_split_the_validation_split_is_advised_first(
    tmp_path: Path, val_size: int, advised: str
) -> None:
    data = sample.read("train")[:100]
    path = write(tmp_path, npz(images=data.images, labels=data.labels))
    model = trained_on(tmp_path / "m.pt", str(path), changes={"val_size": val_size})
    with pytest.raises(UsageError, match=f"names no test split(?s:.*)--split {advised}$"):
        read_split(open_source(str(path)), "test", model)


def test_data_that_is_gone_names_the_option(tmp_path: Path) -> None:
    model = trained_on(tmp_path / "m.pt", SPEC, changes={"spec": str(tmp_path / "gone.csv")})
    with pytest.raises(MissingInput, match="--data"):
        open_evaluated(model, None)


def test_named_data_wins(tmp_path: Path) -> None:
    model = trained_on(tmp_path / "m.pt", SPEC)
    assert open_evaluated(model, "sample:50").spec == "sample:50"


def test_a_model_without_a_record_needs_named_data(tmp_path: Path) -> None:
    model = without_record(tmp_path / "m.pt")
    assert model.trained_on is None
    with pytest.raises(UsageError, match="records no data"):
        open_evaluated(model, None)
