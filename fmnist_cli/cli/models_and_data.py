"""What commands with a model share: loading it, opening data, a spinner, and warnings."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fmnist_cli.cli import console
from fmnist_cli.cli.options import DataPlaces, ModelOptions
from fmnist_cli.cli.progress import download_progress
from fmnist_cli.constants import CLASS_NAMES
from fmnist_cli.errors import UsageError
from fmnist_cli.files import check_writable
from fmnist_cli.pretrained import NAME as PRETRAINED
from fmnist_cli.pretrained import name_of

if TYPE_CHECKING:
    from fmnist_cli.data.pictures import PhotoMode
    from fmnist_cli.data.sources import Source
    from fmnist_cli.evaluation.comparison import ModelComparison
    from fmnist_cli.evaluation.evaluation import Evaluation
    from fmnist_cli.evaluation.training_record import Split
    from fmnist_cli.inference.classifier import Classifier

_WITHOUT_PHOTOS: Final = ("fashion-mnist", "sample", "idx", "csv")
"""Kinds of data that hold images of the data set's form."""


def load_model(path: Path, options: ModelOptions, **more: Any) -> "Classifier":
    """Load a model; what had to be assumed about bare weights is reported on stderr.

    more: further arguments of `inference.loading.load`.
    """
    from fmnist_cli.inference.loading import load

    started_at = time.perf_counter()
    classifier = load(path, **options.as_arguments(), **more)
    seconds = time.perf_counter() - started_at
    console.detail(f"{name_of(path)}: loaded in {seconds:.1f} s; {classifier.runtime}")
    if classifier.assumed:
        console.note(classifier.assumed)
    return classifier


def open_data(
    classifier: "Classifier",
    data: str | None,
    places: DataPlaces,
    split: "Split",
    *,
    photo: "PhotoMode" = "auto",
) -> "Source":
    """Open the data to evaluate a model on; downloads missing official files."""
    from fmnist_cli.evaluation.training_record import open_evaluated

    source = open_evaluated(classifier, data, **places.as_arguments(), photo=photo)
    fetch(source, split)
    return source


def check_outputs(outputs: Iterable[Path | None], inputs: Iterable[str | Path | None]) -> None:
    """Refuse an output that can't be created, is written twice, or would replace an input."""
    taken = {Path(each).resolve() for each in inputs if each is not None}
    for path in outputs:
        if path is None:
            continue
        if path.resolve() in taken:
            raise UsageError(
                f"'{path}' can't be an output: this command reads it, or writes it twice\n"
                "name another file"
            )
        check_writable(path)
        taken.add(path.resolve())


def fetch(source: "Source", split: "Split") -> None:
    """Download the missing official files of a split under a progress bar."""
    if source.kind == "fashion-mnist":
        with download_progress() as track:
            folder = source.fetch("test" if split == "test" else "train", track)
        console.detail(f"data: {source.spec}, {split} split, in {folder}")
    else:
        console.detail(f"data: {source.spec}, {split} split")


@contextmanager
def busy() -> Iterator[None]:
    """Show a spinner on a terminal."""
    if not console.is_live():
        yield
        return
    from fmnist_cli.data import image_directory

    text = "evaluating"
    with console.err().status(text) as status:

        def show(read: int, total: int) -> None:
            status.update(f"preparing pictures: {read:,} of {total:,}" if read < total else text)

        with image_directory.tracked(show):
            yield


def warn_of_data(n: int, seen: int | None, *, is_sample: bool, model: str = "the model") -> None:
    """Warn of anything that makes scores on `n` images less meaningful than they look.

    seen: how many of them the model was trained on; None if unknown.
    """
    if is_sample:
        console.warn("the images come from the sample in the package: the scores are rough")
    if seen is None:
        console.note(f"whether {model} was trained on any of these images is unknown")
    elif seen:
        console.warn(
            f"{model} was trained on {seen:,} of these {n:,} images, so its scores are optimistic"
        )


def data_line(evaluated: "Evaluation | ModelComparison", n: int) -> str:
    """The evaluated images as a result names them."""
    origin = " (sample in the package)" if evaluated.is_sample else ""
    return f"{evaluated.data}, {evaluated.split} split, {n:,} images{origin}"


def note_on_photos(classifier: "Classifier", name: str) -> None:
    """Report that a model of garments was trained without photos, if its file says so.

    Says nothing if it started from other weights, which may know photos, or has other classes,
    which need not be garments. `measured` marks the packaged model, whose data record names the
    official images alone.
    """
    metadata = classifier.metadata
    if metadata is None or metadata.data is None or metadata.classes != CLASS_NAMES:
        return
    may_know_photos = (metadata.config or {}).get("weights") or "measured" in metadata.extra
    if metadata.data.kind in _WITHOUT_PHOTOS and not may_know_photos:
        console.note(
            f"{name} was trained without photos and often misclassifies them; "
            f"for photos, use the packaged model: {PRETRAINED}"
        )
