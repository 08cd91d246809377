"""What commands that judge or show images do first: data in place, a sign of life."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from fmnist_cli.cli import console
from fmnist_cli.cli.download import download_progress

if TYPE_CHECKING:
    from fmnist_cli.data.sources import Source
    from fmnist_cli.evaluation.training_record import Split
    from fmnist_cli.inference.classifier import Classifier


def open_data(
    classifier: "Classifier",
    data: str | None,
    test_data: str | None,
    data_dir: Path | None,
    mirror: list[str] | None,
    split: "Split",
) -> "Source":
    """Name the data to judge a model on; missing official files are fetched under a bar."""
    from fmnist_cli.evaluation.training_record import open_judged

    source = open_judged(
        classifier, data, test_data=test_data, data_dir=data_dir, mirrors=mirror or ()
    )
    fetch(source, split)
    return source


def fetch(source: "Source", split: "Split") -> None:
    """Fetch what is missing of the official files for a split, under a bar."""
    if source.kind == "fashion-mnist":
        with download_progress() as track:
            source.fetch("test" if split == "test" else "train", track)


@contextmanager
def busy(text: str) -> Iterator[None]:
    """Show on a terminal that work goes on."""
    if console.is_quiet() or not console.is_live():
        yield
        return
    with console.err().status(text):
        yield


def warn_of_drawn_data() -> None:
    """Tell on stderr that scores come from drawn images."""
    console.warn("drawn data, not Fashion-MNIST: the scores say nothing about real garments")
