from pathlib import Path

import numpy as np
import pytest

from fmnist_cli.data.sources import open_source
from fmnist_cli.errors import CheckpointError, DataError, MissingInput, UsageError
from fmnist_cli.evaluation.training_record import TrainingRecord, open_judged, read_split
from tests.evaluation.judged_models import VAL_SIZE, learnt, trained_on

SPEC = "synthetic:200"


def test_val_is_what_training_held_out(tmp_path: Path) -> None:
    model = trained_on(tmp_path / "m.pt", SPEC)
    source = open_judged(model, None)
    assert source.spec == SPEC
    record = TrainingRecord.of(model)
    val, train = read_split(source, "val", record), read_split(source, "train", record)
    assert (len(val), len(train)) == (VAL_SIZE, 200 - VAL_SIZE)
    np.testing.assert_array_equal(train.images, learnt(source.read("train")).images)
    assert len(read_split(source, "test", record)) == 2_000


def test_train_of_other_data_is_all_of_it_and_has_no_val(tmp_path: Path) -> None:
    record = TrainingRecord.of(trained_on(tmp_path / "m.pt", SPEC))
    other = open_source("synthetic:100")
    assert len(read_split(other, "train", record)) == 100
    with pytest.raises(DataError, match="not the training data of the model"):
        read_split(other, "val", record)


def test_no_validation_split_is_a_wrong_usage(tmp_path: Path) -> None:
    record = TrainingRecord.of(trained_on(tmp_path / "m.pt", SPEC, changes={"val_size": 0}))
    with pytest.raises(UsageError, match="without a validation split"):
        read_split(open_source(SPEC), "val", record)


def test_data_that_is_gone_names_the_option(tmp_path: Path) -> None:
    model = trained_on(tmp_path / "m.pt", SPEC, changes={"spec": str(tmp_path / "gone.csv")})
    with pytest.raises(MissingInput, match="--data"):
        open_judged(model, None)


def test_named_data_wins(tmp_path: Path) -> None:
    model = trained_on(tmp_path / "m.pt", SPEC)
    assert open_judged(model, "synthetic:50").spec == "synthetic:50"


@pytest.mark.parametrize(
    "changes",
    [
        {"spec": 7},
        {"val_size": "5"},
        {"fingerprint": None},
        {"split_seed": [0]},
        {"split_seed": -1},
    ],
)
def test_a_record_of_another_form_is_refused(tmp_path: Path, changes: dict[str, object]) -> None:
    model = trained_on(tmp_path / "m.pt", SPEC, changes=changes)
    with pytest.raises(CheckpointError, match="another form"):
        TrainingRecord.of(model)


def test_a_model_without_a_record_needs_named_data(tmp_path: Path) -> None:
    model = trained_on(tmp_path / "m.pt", SPEC)
    model.metadata.pop("data")
    assert TrainingRecord.of(model) is None
    with pytest.raises(UsageError, match="records no data"):
        open_judged(model, None)
