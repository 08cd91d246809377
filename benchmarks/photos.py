"""Photo preparation: accuracy on re-rendered test images against the originals.

    python -m benchmarks.photos [--model MODEL] [--n 10000]

Without a model, the `fast` recipe trains one on the training split. Each official test image is
enlarged to a picture of 300 to 800 pixels, dark on a white background or on a mildly colored,
slightly noisy one, off center, and saved as JPEG; `--photo on` prepares it again. These are
re-rendered images, not photos: the figure shows what preparation loses.
"""

import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.program import fmnist, official
from benchmarks.report import Row, run
from fmnist_cli.data.images import Images
from fmnist_cli.data.pictures import decode
from fmnist_cli.inference.loading import load

MAX_POINTS_LOST = 3.0


def measure(*, model: Path | None = None, n: int = 10_000) -> Iterator[Row]:
    """Evaluate the originals, then each rendering."""
    test = official("test")[:n]
    with tempfile.TemporaryDirectory() as folder:
        if model is None:
            fmnist("train", "-q", "--recipe", "fast", cwd=Path(folder))
        classifier = load(model or Path(folder) / "model.pt")

    def accuracy(images: Images) -> float:
        return 100 * float((classifier(images).argmax(1) == test.labels).mean())

    original = accuracy(test.images)
    with ProcessPoolExecutor() as pool:
        for background in ("white", "colored"):
            prepared = pool.map(partial(prepare, background), enumerate(test.images), chunksize=64)
            yield Row(
                f"test accuracy on photos of the test images, background {background}",
                accuracy(np.stack(list(prepared))),
                "%",
                n=len(test),
                statistic="share",
                baseline=original,
                against="the originals",
                at_least=original - MAX_POINTS_LOST,
            )


def prepare(background: str, item: tuple[int, Images]) -> Images:
    """Render an image, with its number as the seed, and read it back as a photo."""
    number, image = item
    return decode(render(image, background, np.random.default_rng(number)), photo="on").pixels


def render(image: Images, background: str, random: np.random.Generator) -> bytes:
    """Draw uint8 [28, 28] as a JPEG picture of a dark garment on a light background."""
    width, height = random.integers(300, 801, 2)
    side = int(min(width, height) * random.uniform(0.4, 0.85))
    enlarged = Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC)
    brightness = np.zeros((height, width), np.float32)
    top, left = random.integers(0, height - side + 1), random.integers(0, width - side + 1)
    brightness[top : top + side, left : left + side] = enlarged
    color = np.full(3, 255.0)
    noise = np.zeros((height, width, 3))
    if background == "colored":
        color = random.uniform(215, 245) + random.uniform(-12, 10, 3)
        noise = random.normal(0, random.uniform(1, 6), (height, width, 3))
    # The garment is opaque: its own gray where the image is bright, the background elsewhere.
    cover = (brightness / 32).clip(0, 1)[..., None]
    pixels: NDArray[np.float64] = cover * (255 - brightness)[..., None] + (1 - cover) * color
    stream = BytesIO()
    picture = Image.fromarray((pixels + noise).clip(0, 255).astype(np.uint8))
    picture.save(stream, "JPEG", quality=int(random.integers(75, 96)))
    return stream.getvalue()


if __name__ == "__main__":
    run(measure)
