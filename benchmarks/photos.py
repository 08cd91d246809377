"""Measure photo preparation: accuracy on re-rendered test images against the originals.

    python benchmarks/photos.py MODEL --data-dir DIR [--n 10000]

Each official test image is enlarged to a picture of 300 to 800 pixels, dark on a white background
or on a mildly coloured, lightly noisy one, off centre, and saved as JPEG; `--photo on` prepares it
again. These are re-rendered images, not photos: the figure says what preparation loses.
"""

import argparse
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fmnist_cli.data.images import Images
from fmnist_cli.data.pictures import decode
from fmnist_cli.data.sources import open_source
from fmnist_cli.inference.classifier import load

RENDERINGS: Final = ("white", "coloured")


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
    if rendering == "coloured":
        background = random.uniform(215, 245) + random.uniform(-12, 10, 3)
        noise = random.normal(0, random.uniform(1, 6), (height, width, 3))
    # An opaque garment: its own grey where there is one, the background where there is none.
    cover = (brightness / 32).clip(0, 1)[..., None]
    colours: NDArray[np.float64] = cover * (255 - brightness)[..., None] + (1 - cover) * background
    stream = BytesIO()
    picture = Image.fromarray((colours + noise).clip(0, 255).astype(np.uint8))
    picture.save(stream, "JPEG", quality=int(random.integers(75, 96)))
    return stream.getvalue()


def prepare(rendering: str, item: tuple[int, Images]) -> Images:
    """Render the image with this number and read it back as a photo."""
    number, image = item
    return decode(render(image, rendering, np.random.default_rng(number)), photo="on").pixels


def main() -> None:
    """Print the accuracies."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("model", type=Path)
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--n", type=int, default=10_000)
    options = parser.parse_args()

    test = open_source(data_dir=options.data_dir).read("test")[: options.n]
    classifier = load(options.model)
    original = float((classifier(test.images).argmax(1) == test.labels).mean())
    print(f"n = {len(test)}; accuracy on the originals: {original:.2%}")
    with ProcessPoolExecutor() as pool:
        for rendering in RENDERINGS:
            prepared = np.stack(
                list(pool.map(partial(prepare, rendering), enumerate(test.images), chunksize=64))
            )
            accuracy = float((classifier(prepared).argmax(1) == test.labels).mean())
            print(f"re-rendered, {rendering:>8}: {accuracy:.2%} ({accuracy - original:+.2%})")


if __name__ == "__main__":
    main()
