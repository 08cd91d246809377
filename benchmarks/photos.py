"""Photo preparation: accuracy on re-rendered test images against the originals.

    python -m benchmarks.photos [MODEL] [--n 10000]

Without a model one is trained by the `fast` recipe on the training split.
Each official test image is enlarged to a picture of 300 to 800 pixels, dark on a white background
or on a mildly colored, lightly noisy one, off center, and saved as JPEG; `--photo on` prepares it
again. These are re-rendered images, not photos: the figure says what preparation loses.
"""

import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.harness.rows import Row, parser, report
from benchmarks.program import fmnist
from fmnist_cli.data.images import Images
from fmnist_cli.data.pictures import decode
from fmnist_cli.data.sources import open_source
from fmnist_cli.inference.classifier import load

MOST_POINTS_LOST = 3.0
RENDERINGS: Final = ("white", "colored")


def render(image: Images, rendering: str, random: np.random.Generator) -> bytes:
    """Draw uint8 [28, 28] as a JPEG picture of a dark garment on a light background."""
    width, height = random.integers(300, 801, 2)
    side = int(min(width, height) * random.uniform(0.4, 0.85))
    enlarged = Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC)
    brightness = np.zeros((height, width), np.float32)
    top, left = random.integers(0, height - side + 1), random.integers(0, width - side + 1)
    brightness[top : top + side, left : left + side] = enlarged
    background = np.full(3, 255.0)
    noise = np.zeros((height, width, 3))
    if rendering == "colored":
        background = random.uniform(215, 245) + random.uniform(-12, 10, 3)
        noise = random.normal(0, random.uniform(1, 6), (height, width, 3))
    # An opaque garment: its own gray where there is one, the background where there is none.
    cover = (brightness / 32).clip(0, 1)[..., None]
    colors: NDArray[np.float64] = cover * (255 - brightness)[..., None] + (1 - cover) * background
    stream = BytesIO()
    picture = Image.fromarray((colors + noise).clip(0, 255).astype(np.uint8))
    picture.save(stream, "JPEG", quality=int(random.integers(75, 96)))
    return stream.getvalue()


def prepare(rendering: str, item: tuple[int, Images]) -> Images:
    """Render the image with this number and read it back as a photo."""
    number, image = item
    return decode(render(image, rendering, np.random.default_rng(number)), photo="on").pixels


def measure(model: Path, n: int) -> Iterator[Row]:
    """Judge the originals, then each rendering; yields a row each."""
    test = open_source().read("test")[:n]
    classifier = load(model)
    original = 100 * float((classifier(test.images).argmax(1) == test.labels).mean())
    with ProcessPoolExecutor() as pool:
        for rendering in RENDERINGS:
            prepared = np.stack(
                list(pool.map(partial(prepare, rendering), enumerate(test.images), chunksize=64))
            )
            yield Row(
                what=f"test accuracy on photos of the test images, background {rendering}",
                ours=100 * float((classifier(prepared).argmax(1) == test.labels).mean()),
                unit="%",
                n=len(test),
                statistic="share",
                baseline=original,
                against="the originals",
                at_least=original - MOST_POINTS_LOST,
            )


def main() -> int:
    """Print the rows; returns the exit code."""
    options = parser(__doc__)
    options.add_argument("model", type=Path, nargs="?")
    options.add_argument("--n", type=int, default=10_000)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if given.model is None:
            fmnist("train", "-q", "--recipe", "fast", cwd=Path(folder))
        return report(measure(given.model or Path(folder) / "model.pt", given.n), given)


if __name__ == "__main__":
    sys.exit(main())
