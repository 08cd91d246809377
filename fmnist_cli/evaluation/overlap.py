"""How many of the evaluated images a model was trained on: on those its scores are optimistic.

Kaggle's CSV files mix the official splits, so a model trained on its train file has seen part of
the official test split. A model file records official data and the sample by name, and any other
data as a digest of each training image.
"""

from typing import Literal

from fmnist_cli.data import download
from fmnist_cli.data.images import Images, count_seen, digest_images
from fmnist_cli.data.layouts import NAMED, OFFICIAL
from fmnist_cli.data.sources import Source, open_source
from fmnist_cli.errors import DataError, FmnistError, MissingInput
from fmnist_cli.evaluation.training_record import Split
from fmnist_cli.inference.classifier import Classifier


def count_seen_in_training(
    images: Images, source: Source, split: Split, classifier: Classifier
) -> int | None:
    """How many of uint8 [N, 28, 28], the images of `split` of `source`, the model was trained on.

    None if that is unknown: the model records no data, or it was trained on the official training
    split, whose files are not in the data directory. Nothing is downloaded.
    """
    trained_on = classifier.trained_on
    if trained_on is None:
        return None
    if trained_on.kind not in NAMED:
        recorded = classifier.training_digests()
        return count_seen(images, recorded) if recorded else None
    if source.kind in NAMED and split == "test":
        # The official splits share no image, as tests/evaluation/test_overlap.py shows, and each
        # split of the sample is a part of the official one.
        return 0
    if trained_on.kind == OFFICIAL and not has_official(source, "train"):
        return None
    # A stranger may have written the name: it may be a local file or nothing.
    try:
        named = open_source(trained_on.spec, data_dir=source.data_dir)
    except FmnistError:
        return None
    data = named.read("train") if named.kind == trained_on.kind else None
    if data is None or not trained_on.describes(data):
        return None  # or the sample of another version of the package
    return count_seen(images, digest_images(trained_on.divide(data)[0].images))


def has_official(source: Source, split: Literal["train", "test"]) -> bool:
    """Whether the official files of a split are in the data directory of `source`."""
    try:
        download.verify(source.data_dir or download.default_folder(), (split,))
    except (MissingInput, DataError):
        return False
    return True
