"""Photos: accuracy on re-rendered test images and, with PHOTOS=DIR, on real photos.

    [PHOTOS="DIR ..."] python -m benchmarks.photos [--model MODEL] [--n 500]

Official test images are enlarged to pictures of 300 to 800 pixels, garments dark on a light ground
or recolored to stand out from the ground by 60 gray levels, off center, slightly noisy, saved as
JPEG, and prepared again. These are re-rendered images, not photos: the figure shows what
preparation loses. Each DIR holds real photos as in `benchmarks.clothing`; those of held-out senders
are classified with and without preparation, and their garments in other pictures.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.clothing import SCORED, Photo, link, read_photos
from benchmarks.placed_garments import WHITE, Setting, place, settings
from benchmarks.program import ask, official, scratch
from benchmarks.report import Row, run
from fmnist_cli.constants import IMAGE_SIZE
from fmnist_cli.data.class_names import ANY_FOOTWEAR, FOOTWEAR, label_of
from fmnist_cli.data.images import Images, Labels
from fmnist_cli.data.pictures import decode
from fmnist_cli.errors import NoGarment
from fmnist_cli.inference.classifier import Classifier
from fmnist_cli.inference.loading import load

MIN_ACCURACY: Final = 83.0
MAX_POINTS_LOST: Final = 2.0
MAX_POINTS_LOST_PLACED: Final = 5.0
CONTRAST: Final = 60
"""Gray levels between a garment's mean and its ground."""
GROUNDS: Final = {
    "white": (255, 255, 255),
    **{f"gray {level}": (level, level, level) for level in (0, 40, 80, 120, 160, 200, 240)},
    "oak": (186, 140, 95),
    "sky blue": (135, 190, 235),
    "grass": (70, 120, 50),
    "brick": (150, 70, 55),
    "navy": (30, 40, 80),
    "cream": (240, 230, 205),
}


def measure(model: str = "pretrained", n: int = 500) -> Iterator[Row]:
    """Evaluate the originals, then each ground, then the photos."""
    test, classifier = official("test")[:n], load(model)
    original = _accuracy(classifier, test.images, test.labels)
    with ProcessPoolExecutor() as pool:
        for name, ground in GROUNDS.items():
            prepared = pool.map(partial(prepare, ground), enumerate(test.images), chunksize=64)
            yield Row(
                f"accuracy on re-rendered test images, background {name}",
                _accuracy(classifier, np.stack(list(prepared)), test.labels),
                "%",
                "share",
                len(test),
                baseline=("the originals", original),
                bars={"≥": original - MAX_POINTS_LOST},
            )
    photos = [
        photo
        for photo in read_photos(Path(folder) for folder in os.environ.get("PHOTOS", "").split())
        if photo.is_held_out and photo.folder in SCORED
    ]
    if photos:
        yield from _real_photos(photos, model)
        yield from _placed(photos, classifier)


def _accuracy(classifier: Classifier, images: Images, labels: Labels) -> float:
    found = classifier(images).argmax(1)
    is_right = np.where(labels == ANY_FOOTWEAR, np.isin(found, list(FOOTWEAR)), found == labels)
    return 100 * float(is_right.mean())


def _real_photos(photos: list[Photo], model: str) -> Iterator[Row]:
    with scratch() as folder:
        link(photos, folder)
        for mode, bar in (("off", None), ("auto", MIN_ACCURACY)):
            found = ask("evaluate", model, "--data", folder, "--photo", mode)
            what = f"accuracy on photos of held-out senders, --photo {mode}"
            yield Row(what, 100 * found["accuracy"], "%", "share", found["n"], bars={"≥": bar})


def _placed(photos: list[Photo], classifier: Classifier) -> Iterator[Row]:
    """The garments of the photos on white, then in each setting."""
    others = settings({name: GROUNDS[name] for name in GROUNDS if name != "white"})
    work = partial(_place_and_prepare, settings=[WHITE, *others.values()])
    with ProcessPoolExecutor() as pool:
        images = np.stack(list(pool.map(work, [one.path for one in photos], chunksize=8)), 1)
    labels = np.array([label_of(one.folder) for one in photos])
    on_white = _accuracy(classifier, images[0], labels)
    for name, batch in zip(others, images[1:], strict=True):
        yield Row(
            f"accuracy on garments cut out of photos, {name}",
            _accuracy(classifier, batch, labels),
            "%",
            "share",
            len(photos),
            baseline=("on white", on_white),
            bars={"≥": on_white - MAX_POINTS_LOST_PLACED},
        )


def _place_and_prepare(path: Path, settings: list[Setting]) -> Images:
    return np.stack([_read(content) for content in place(path, settings)])


def prepare(ground: tuple[int, int, int], item: tuple[int, Images]) -> Images:
    """Render an image, with its number as the seed, and read it back as a photo."""
    number, image = item
    return _read(render(image, ground, np.random.default_rng(number)))


def _read(content: bytes) -> Images:
    """Prepare a photo; black if nothing is found in it."""
    try:
        return decode(content, photo="on").pixels
    except NoGarment:
        return np.zeros((IMAGE_SIZE, IMAGE_SIZE), np.uint8)


def render(image: Images, ground: tuple[int, int, int], random: np.random.Generator) -> bytes:
    """Draw uint8 [28, 28] as a JPEG picture of a garment on a ground of one color."""
    width, height = random.integers(300, 801, 2)
    side = int(min(width, height) * random.uniform(0.4, 0.85))
    enlarged = Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC)
    brightness = np.zeros((height, width), np.float32)
    top, left = random.integers(0, height - side + 1), random.integers(0, width - side + 1)
    brightness[top : top + side, left : left + side] = enlarged
    # The garment is opaque: its own gray where the image is bright, the ground elsewhere.
    cover = (brightness / 32).clip(0, 1)[..., None]
    garment = recolor(255 - brightness, brightness > 32, float(np.mean(ground)))
    pixels: NDArray[np.float64] = cover * garment[..., None] + (1 - cover) * np.array(ground)
    noise = random.normal(0, random.uniform(1, 6), (height, width, 3))
    stream = BytesIO()
    picture = Image.fromarray((pixels + noise).clip(0, 255).astype(np.uint8))
    picture.save(stream, "JPEG", quality=int(random.integers(75, 96)))
    return stream.getvalue()


def recolor(
    gray: NDArray[np.float32], is_garment: NDArray[np.bool_], ground: float
) -> NDArray[np.float32]:
    """Shift a garment's gray away from the ground's, if they differ by less than CONTRAST."""
    mean = float(gray[is_garment].mean())
    if abs(mean - ground) >= CONTRAST:
        return gray
    target = ground - CONTRAST if ground >= 128 else ground + CONTRAST
    return (gray + (target - mean)).clip(0, 255)


if __name__ == "__main__":
    run(measure)
