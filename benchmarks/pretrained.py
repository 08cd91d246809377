"""Train, measure and write the packaged model.

    python -m benchmarks.pretrained DIR [DIR ...] [--epochs 7] [--output FILE]

First the default recipe on the official training split without its last 3,000 images; then
fine-tuning on these images together with prepared photos (`benchmarks.photo_variants`) and with
re-rendered images. The model averages over mirror images. Its temperature is fitted on the
3,000 and on the photos of held-out senders. The official test split and the photos
of held-out senders are evaluated once, at the end. DIR is as in `benchmarks.clothing`. Command and
scores go into the file: see `fmnist info pretrained`.
"""

import dataclasses
import subprocess
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
import typer

from benchmarks.clothing import SCORED, Photo, link, read_photos
from benchmarks.photo_variants import from_photos, rendered
from benchmarks.program import PROGRAM, ask, official, scratch, write_idx
from fmnist_cli.checkpoints import checkpoint
from fmnist_cli.checkpoints.metadata import ModelMetadata
from fmnist_cli.data.images import LabeledImages, join
from fmnist_cli.data.pictures import decode
from fmnist_cli.data.sources import open_source
from fmnist_cli.files import atomic_write
from fmnist_cli.models.cost import count_macs
from fmnist_cli.pretrained import FILE
from fmnist_cli.training.metrics import fit_temperature
from fmnist_cli.training.run_data import SPLIT_SEED, describe_data

MAX_BYTES: Final = 1_500_000
HELD_BACK: Final = 3_000
"""Official training images for the temperature."""
VARIANTS: Final = 15
"""Images from each photo."""
RENDERED: Final = 8_000
FINE_TUNING: Final = (
    *("--recipe", "default", "--lr", "0.1", "--head-lr", "0.1", "--warmup", "0.5"),
    *("--label-smoothing", "0.05", "--augment", "flip,shift:1,erase:0.3", "--val-size", "0"),
)


def main(directories: list[Path], epochs: int = 7, output: Path = FILE) -> None:
    """Train, evaluate, write; a model that is too large does not replace the existing file."""
    photos = read_photos(directories)
    with scratch() as folder:
        train = official("train")
        images, held_back = train[:-HELD_BACK], train[-HELD_BACK:]
        write_idx(images, folder / "official")
        write_idx(mixture(images, photos), folder / "mixture")
        first = ("--recipe", "default", "--data", "official", "--val-size", "0")
        second = (*FINE_TUNING, "--weights", "first.pt", "--data", "mixture")
        for name, options in (("first", first), ("model", (*second, "--epochs", str(epochs)))):
            command = [PROGRAM, "train", *options, "--output", f"{name}.pt"]
            subprocess.run(command, cwd=folder, check=True)
        finish(folder, held_back, photos)
        content = (folder / "model.pt").read_bytes()
    if len(content) > MAX_BYTES:
        raise SystemExit(f"the model has {len(content):,} bytes; the limit is {MAX_BYTES:,}")
    with atomic_write(output) as temporary:
        temporary.write_bytes(content)


def mixture(images: LabeledImages, photos: list[Photo]) -> LabeledImages:
    """Official images, variants of photos, and re-rendered images."""
    trained_on = [photo for photo in photos if not photo.is_held_out]
    chosen = np.random.default_rng(5).permutation(len(images))[:RENDERED]
    grounds = [photo.path for photo in trained_on[::12]]
    return join(images, from_photos(trained_on, VARIANTS), rendered(images[chosen], grounds))


def finish(folder: Path, held_back: LabeledImages, photos: list[Photo]) -> None:
    """Make `model.pt` average over mirror images, fit its temperature, evaluate it."""
    path = folder / "model.pt"
    loaded = checkpoint.load(path)
    mirrored = dataclasses.replace(loaded.metadata.network, options={"mirror": True})
    metadata = dataclasses.replace(loaded.metadata, network=mirrored)
    checkpoint.save(path, loaded.model.state_dict(), metadata)
    loaded = checkpoint.load(path)
    held_out = [photo for photo in photos if photo.is_held_out]
    unseen = join(held_back, prepared(held_out))
    temperature = fit_temperature(
        loaded.model,
        torch.from_numpy(unseen.images),
        torch.from_numpy(unseen.labels),
        loaded.metadata.normalization,
    )
    network = dataclasses.replace(mirrored, macs=count_macs(loaded.model))
    metadata = dataclasses.replace(metadata, network=network, temperature=temperature)
    checkpoint.save(path, loaded.model.state_dict(), metadata)
    link([photo for photo in held_out if photo.folder in SCORED], folder / "photos")
    scores = {name: _scores(name, cwd=folder) for name in ("fashion-mnist", "photos")}
    known = sum(not photo.is_held_out and photo.label is not None for photo in photos)
    card = {**scores["fashion-mnist"], "data": "fashion-mnist", "split": "test"}
    card["photos of held-out senders"] = scores["photos"]
    checkpoint.save(path, loaded.model.state_dict(), describe(metadata, known, card))
    for name, found in scores.items():
        low, high = found["accuracy_ci95"]
        print(
            f"{name}: accuracy {found['accuracy']:.2%}, 95% interval {low:.2%} to {high:.2%}, "
            f"n = {found['n']:,}, calibration error {found['ece']:.2%}; T = {temperature:.3f}"
        )


def describe(metadata: ModelMetadata, known: int, card: dict[str, Any]) -> ModelMetadata:
    """The metadata of the packaged model: its data by name, no path of the machine."""
    assert metadata.config is not None
    command = " ".join(["fmnist", "train", *FINE_TUNING])
    card["command"] = command
    card["trained on"] = (
        f"{60_000 - HELD_BACK:,} official training images; {VARIANTS} variants (footwear: "
        f"{3 * VARIANTS}) of each of {known:,} prepared photos of the clothing dataset (Alexey "
        f"Grigorev and contributors, CC0 1.0); {RENDERED:,} re-rendered official training images"
    )
    return dataclasses.replace(
        metadata,
        run_dir=None,
        config={**metadata.config, "data": "fashion-mnist", "weights": None},
        data=describe_data(open_source(), official("train"), 0, SPLIT_SEED),
        extra={"measured": card},
    )


def prepared(photos: list[Photo]) -> LabeledImages:
    """The photos that show a class of Fashion-MNIST, one image each."""
    labeled = [photo for photo in photos if photo.label is not None]
    images = [decode(photo.path, photo="on").pixels for photo in labeled]
    return LabeledImages(np.stack(images), np.array([photo.label for photo in labeled]))


def _scores(data: str, cwd: Path) -> dict[str, Any]:
    found = ask("evaluate", "model.pt", "--data", data, cwd=cwd)
    return {name: found[name] for name in ("n", "accuracy", "accuracy_ci95", "ece")}


if __name__ == "__main__":
    typer.run(main)
