"""How many of the judged images a model was trained on: its score on those is no test of it.

Kaggle's CSV files mix the official splits, so a model trained on its train file has seen part of
the official test split. The official split and drawn data are recorded by their name alone, any
other data by a digest of each image that was learnt from.
"""

import base64
import binascii
from typing import Final

from fmnist_cli.checkpoints.archive import read_digests
from fmnist_cli.checkpoints.metadata import DataRecord
from fmnist_cli.data import download
from fmnist_cli.data.digests import ONNX_RECORD_KEY, count_seen, digest_images
from fmnist_cli.data.images import Images
from fmnist_cli.data.sources import DRAWN, OFFICIAL, Source, open_source
from fmnist_cli.errors import CheckpointError, DataError, FmnistError, MissingInput
from fmnist_cli.evaluation.training_record import Split
from fmnist_cli.inference.classifier import Classifier

_MOST_DRAWN_IMAGES: Final = 200_000
"""Drawn anew to be compared with; that takes seconds."""


def count_seen_in_training(
    images: Images,
    source: Source,
    split: Split,
    classifier: Classifier,
) -> int | None:
    """How many of uint8 [N, 28, 28], which are `split` of `source`, training learnt from.

    None where that can't be told: the model records no data, or the official training split, with
    which other data has to be compared, is not in the data folder. Nothing is downloaded for it.
    """
    trained_on = classifier.trained_on
    if trained_on is None:
        return None
    if trained_on.kind == source.kind and source.kind in (OFFICIAL, DRAWN) and split == "test":
        return 0  # their two splits share no image, as tests/evaluation/test_overlap.py shows
    record = _record(source, classifier, trained_on)
    return None if record is None else count_seen(images, record)


def _record(source: Source, classifier: Classifier, trained_on: DataRecord) -> bytes | None:
    """Digests of the images that training learnt from."""
    if trained_on.kind not in (OFFICIAL, DRAWN):
        return recorded_digests(classifier) or None
    if trained_on.kind == OFFICIAL and not has_official(source, "train"):
        return None
    # The model's maker wrote the name: it may be that of a local file or of nothing, or of images
    # without end.
    try:
        recorded = open_source(trained_on.spec, data_dir=source.data_dir)
    except FmnistError:
        return None
    if recorded.kind != trained_on.kind or recorded.n_drawn > _MOST_DRAWN_IMAGES:
        return None
    named = recorded.read("train")
    if not trained_on.describes(named):
        return None  # drawn by another version of the package
    return digest_images(trained_on.divide(named)[0].images)


def has_official(source: Source, split: Split) -> bool:
    """Whether the official files of a split are in the data folder of `source`."""
    folder = source.data_dir or download.default_folder()
    try:
        download.verify(folder, ("train",) if split == "train" else ("test",))
    except (MissingInput, DataError):
        return False
    return True


def recorded_digests(classifier: Classifier) -> bytes:
    """The digests that a model file holds; empty where it holds none.

    Raises CheckpointError where they are damaged.
    """
    if classifier.backend == "torch":
        return read_digests(classifier.path)
    from fmnist_cli.inference.onnx_skeleton import read_skeleton

    properties = read_skeleton(classifier.path).model.metadata_props
    text = next((entry.value for entry in properties if entry.key == ONNX_RECORD_KEY), "")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise CheckpointError(
            f"'{classifier.path}': the record of its training images is damaged"
        ) from None
