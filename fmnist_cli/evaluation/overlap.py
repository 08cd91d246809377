"""How many of the evaluated images a model was trained on: on those its scores are optimistic.

Kaggle's CSV files mix the official splits, so a model trained on its train file has seen part of
the official test split. A model file records official data and the sample by name, and any other
data as a digest of each training image.
"""

import base64
import binascii

from fmnist_cli.checkpoints.archive import read_digests
from fmnist_cli.checkpoints.metadata import DataRecord
from fmnist_cli.data import download
from fmnist_cli.data.images import Images, count_seen, digest_images
from fmnist_cli.data.layouts import NAMED, OFFICIAL
from fmnist_cli.data.sources import Source, open_source
from fmnist_cli.errors import CheckpointError, DataError, FmnistError, MissingInput
from fmnist_cli.evaluation.training_record import Split
from fmnist_cli.inference.classifier import Classifier


def count_seen_in_training(
    images: Images,
    source: Source,
    split: Split,
    classifier: Classifier,
) -> int | None:
    """How many of uint8 [N, 28, 28], the images of `split` of `source`, the model was trained on.

    None if that is unknown: the model records no data, or it was trained on the official training
    split, whose files are not in the data directory. Nothing is downloaded.
    """
    trained_on = classifier.trained_on
    if trained_on is None:
        return None
    if trained_on.kind in NAMED and source.kind in NAMED and split == "test":
        # The official splits share no image, as tests/evaluation/test_overlap.py shows, and each
        # split of the sample is a part of the official one.
        return 0
    record = _record(source, classifier, trained_on)
    return None if record is None else count_seen(images, record)


def _record(source: Source, classifier: Classifier, trained_on: DataRecord) -> bytes | None:
    """Digests of the training images."""
    if trained_on.kind not in NAMED:
        return recorded_digests(classifier) or None
    if trained_on.kind == OFFICIAL and not has_official(source, "train"):
        return None
    # A stranger may have written the name: it may be a local file or nothing.
    try:
        recorded = open_source(trained_on.spec, data_dir=source.data_dir)
    except FmnistError:
        return None
    if recorded.kind != trained_on.kind:
        return None
    named = recorded.read("train")
    if not trained_on.describes(named):
        return None  # the sample of another version of the package
    return digest_images(trained_on.divide(named)[0].images)


def has_official(source: Source, split: Split) -> bool:
    """Whether the official files of a split are in the data directory of `source`."""
    folder = source.data_dir or download.default_folder()
    try:
        download.verify(folder, ("train",) if split == "train" else ("test",))
    except (MissingInput, DataError):
        return False
    return True


def recorded_digests(classifier: Classifier) -> bytes:
    """The digests in a model file; empty if it holds none.

    Raises CheckpointError if they are damaged.
    """
    if classifier.backend == "torch":
        return read_digests(classifier.path)
    from fmnist_cli.inference.onnx_backend import OnnxClassifier

    assert isinstance(classifier, OnnxClassifier)
    try:
        return base64.b64decode(classifier.facts.training_digests, validate=True)
    except (binascii.Error, ValueError):
        raise CheckpointError(
            f"'{classifier.path}': the record of its training images is damaged"
        ) from None
