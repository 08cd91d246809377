from pathlib import Path

import numpy as np
import onnx
import pytest

from fmnist_cli.data.images import ONNX_RECORD_KEY, LabeledImages, count_seen, digest_images
from fmnist_cli.data.layouts import OFFICIAL
from fmnist_cli.data.sources import Source, open_source
from fmnist_cli.errors import CheckpointError
from fmnist_cli.evaluation.evaluation import evaluate
from fmnist_cli.evaluation.overlap import count_seen_in_training
from fmnist_cli.evaluation.training_record import Split
from fmnist_cli.inference.classifier import Classifier
from fmnist_cli.inference.loading import load
from tests.data.written_formats import csv
from tests.evaluation.evaluated_models import VAL_SIZE, trained_on, training_part, without_record
from tests.sample_images import draw
from tests.written_models import write_onnx


def write_csv(path: Path, data: LabeledImages) -> str:
    """Write images in Kaggle's form; returns the path as `--data` takes it."""
    path.write_bytes(csv(data))
    return str(path)


def count(classifier: Classifier, source: Source, split: Split = "test") -> int | None:
    data = source.read("test" if split == "test" else "train")
    return count_seen_in_training(data.images, source, split, classifier)


def test_a_csv_is_recorded_image_by_image(tmp_path: Path) -> None:
    train, unseen = draw(120, "train"), draw(30, "test")
    seen = training_part(train)
    spec = write_csv(tmp_path / "train.csv", train)
    model = trained_on(tmp_path / "m.pt", spec, record=True)
    mixed = LabeledImages(
        np.concatenate([seen.images[:25], unseen.images]),
        np.concatenate([seen.labels[:25], unseen.labels]),
    )
    source = open_source(spec, test_data=write_csv(tmp_path / "test.csv", mixed))
    assert count(model, source) == 25
    assert evaluate(model, source).seen_in_training == 25
    assert evaluate(model, source, "val").seen_in_training == 0
    assert evaluate(model, source, "train").seen_in_training == 120 - VAL_SIZE


def test_the_sample_is_read_again_to_compare(tmp_path: Path) -> None:
    model = trained_on(tmp_path / "m.pt", "sample:120")
    train = open_source("sample:120").read("train")
    spec = write_csv(tmp_path / "same.csv", train)
    assert count(model, open_source(spec), "train") == 120 - VAL_SIZE
    assert count(model, open_source("sample:120")) == 0


def test_the_splits_of_the_sample_share_no_image() -> None:
    source = open_source("sample")
    train, test = (digest_images(source.read(split).images) for split in ("train", "test"))
    assert count_seen(source.read("test").images, train) == 0
    assert len(train) // 5 == 2_500
    assert len(test) // 5 == 500


def test_overlap_is_unknown_without_the_official_files(tmp_path: Path) -> None:
    model = trained_on(
        tmp_path / "m.pt", "sample:120", changes={"spec": OFFICIAL, "kind": OFFICIAL}
    )
    spec = write_csv(tmp_path / "other.csv", open_source("sample:30").read("train"))
    assert count(model, open_source(spec, data_dir=tmp_path / "empty"), "train") is None
    assert not (tmp_path / "empty").exists()


def test_overlap_is_unknown_for_a_model_without_a_record(tmp_path: Path) -> None:
    model = without_record(tmp_path / "m.pt")
    assert count(model, open_source("sample:120")) is None


def test_official_splits_share_no_image_and_a_csv_of_both_is_counted(
    tmp_path: Path, mirror: Path
) -> None:
    official = open_source(OFFICIAL, data_dir=mirror)
    train, test = official.read("train"), official.read("test")
    in_train, in_test = ({image.tobytes() for image in split.images} for split in (train, test))
    assert len(in_train) == 60_000
    assert not in_train & in_test
    mixed = LabeledImages(
        np.concatenate([train.images[:200], test.images[:50]]),
        np.concatenate([train.labels[:200], test.labels[:50]]),
    )
    spec = write_csv(tmp_path / "train.csv", mixed)
    model = trained_on(tmp_path / "m.pt", spec, record=True)
    expected = sum(image.tobytes() in in_test for image in training_part(mixed).images)
    assert 0 < expected <= 50
    assert count(model, official) == expected


def test_an_onnx_file_carries_the_record(tmp_path: Path) -> None:
    path = write_onnx(tmp_path / "m.onnx")
    assert load(path).training_digests() == b""
    model = onnx.load(path)
    record = model.metadata_props.add(key=ONNX_RECORD_KEY, value="MTIzNDU=")
    onnx.save(model, path)
    assert load(path).training_digests() == b"12345"
    record.value = "no base64!"
    onnx.save(model, path)
    with pytest.raises(CheckpointError, match="damaged"):
        load(path).training_digests()


@pytest.mark.parametrize(
    "spec",
    ["sample:2501", str(Path(__file__).parent), str(Path(__file__).with_name("nothing"))],
    ids=["much", "local", "nothing"],
)
def test_a_record_that_asks_for_much_or_for_local_files_is_not_followed(
    tmp_path: Path, spec: str
) -> None:
    model = trained_on(tmp_path / "m.pt", "sample:200", changes={"spec": spec})
    source = open_source("sample:200")
    images = source.read("train").images
    assert count_seen_in_training(images, source, "train", model) is None
