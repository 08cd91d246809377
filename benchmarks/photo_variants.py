"""Training images from photos of garments and from re-rendered images of the data set.

What they imitate is what preparation leaves behind on a stranger's photo: another angle and aspect,
another exposure, a mask that is too wide, too narrow, or lacks a piece.
"""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.clothing import Photo, open_photo
from fmnist_cli.constants import IMAGE_SIZE
from fmnist_cli.data.images import Images, LabeledImages
from fmnist_cli.errors import NoGarment
from fmnist_cli.photos.finder import find_garment
from fmnist_cli.photos.photo import prepare_photo

_SHOE_VARIANTS: Final = 3
"""Factor for footwear, of which there are few photos."""
_FOUND_AGAIN: Final = 0.5
"""Share of variants in which the finder finds the garment itself, with the mistakes it makes."""


def from_photos(photos: Sequence[Photo], variants: int) -> LabeledImages:
    """Some variants of each photo that shows a class of Fashion-MNIST."""
    labeled = [photo for photo in photos if photo.label is not None]
    jobs = [
        (photo.path, variants * (_SHOE_VARIANTS if photo.folder == "shoes" else 1), number)
        for number, photo in enumerate(labeled)
    ]
    with ProcessPoolExecutor() as pool:
        found = list(pool.map(_variants, jobs, chunksize=16))
    labels = np.repeat([photo.label for photo in labeled], [len(each) for each in found])
    return LabeledImages(np.concatenate(found), labels.astype(np.int64))


def rendered(data: LabeledImages, grounds: Sequence[Path]) -> LabeledImages:
    """The same garments on plain and graded grounds and on photos, found and prepared again."""
    work = partial(_render, grounds=[str(path) for path in grounds])
    with ProcessPoolExecutor() as pool:
        images = np.stack(list(pool.map(work, enumerate(data.images), chunksize=64)))
    is_found = images.any(axis=(1, 2))
    return LabeledImages(images[is_found], data.labels[is_found])


def _variants(job: tuple[Path, int, int]) -> Images:
    path, count, seed = job
    random = np.random.default_rng(seed)
    photo = open_photo(path)
    mask = find_garment(photo)
    pixels = np.asarray(photo)
    found = []
    for _ in range(count):
        try:
            found.append(_variant(pixels, mask, random))
        except NoGarment:
            continue
    return np.stack(found) if found else np.zeros((0, IMAGE_SIZE, IMAGE_SIZE), np.uint8)


def _variant(pixels: Any, mask: NDArray[np.float32], random: np.random.Generator) -> Images:
    """One photo turned, scaled, mirrored, exposed otherwise; found again, or with a rough mask."""
    height, width = pixels.shape[:2]
    is_found_again = random.random() < _FOUND_AGAIN
    side = int(max(height, width) * 1.15)
    size = (width, height) if is_found_again else (side, side)
    angle = np.deg2rad(random.normal(0, 6))
    scales = np.exp(random.normal(0, 0.07, 2)) * (random.choice([-1, 1]), 1)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = turn @ np.diag(scales)
    shift = np.array(size) / 2 - matrix @ np.array([width / 2, height / 2])
    move = np.concatenate([matrix, shift[:, None]], axis=1)
    border = cv2.BORDER_REFLECT_101 if is_found_again else cv2.BORDER_REPLICATE
    moved = cv2.warpAffine(pixels, move, size, borderMode=border)
    exposed = moved * random.uniform(0.8, 1.2) + random.uniform(-20, 20)
    exposed = 255 * (exposed.clip(0, 255) / 255) ** np.exp(random.normal(0, 0.3))
    if random.random() < 0.1:
        exposed = 255 - exposed
    photo = Image.fromarray(exposed.astype(np.uint8))
    if is_found_again:
        return prepare_photo(photo)
    rough = _roughen(cv2.resize(mask, (width, height)), random)
    moved_mask: Any = cv2.warpAffine(rough, move, size)
    return prepare_photo(photo, moved_mask)


def _roughen(mask: Any, random: np.random.Generator) -> Any:
    height, width = mask.shape
    choice = random.random()
    if choice < 0.15:
        mask = cv2.dilate(mask, np.ones((int(random.integers(2, 9)),) * 2))
    elif choice < 0.3:
        mask = cv2.erode(mask, np.ones((int(random.integers(2, 6)),) * 2))
    if random.random() < 0.25:
        blob = np.zeros_like(mask)
        center = int(random.integers(0, width)), int(random.integers(0, height))
        axes = int(random.integers(4, width // 6)), int(random.integers(4, height // 6))
        cv2.ellipse(blob, center, axes, random.uniform(0, 180), 0, 360, 1, -1)
        touches = (blob * mask).max() > 0
        mask = np.maximum(mask, blob) if touches and random.random() < 0.4 else mask * (1 - blob)
    return mask


def _render(item: tuple[int, Images], grounds: Sequence[str]) -> Images:
    number, image = item
    random = np.random.default_rng(number)
    side = IMAGE_SIZE * int(random.integers(5, 9))
    garment = 255 - cv2.resize(image, (side, side), interpolation=cv2.INTER_CUBIC)
    cover = cv2.GaussianBlur(cv2.resize((image > 0).astype(np.float32), (side, side)), (0, 0), 1.0)
    cover = ((cover - 0.5) * 4 + 0.5).clip(0, 1)[..., None]
    height, width = (int(side * random.uniform(1.05, 1.6)) for _ in range(2))
    ground = _ground(height, width, grounds, random)
    colors = garment[..., None] * (1 + random.normal(0, 0.08, 3))
    top, left = (int(random.integers(0, size - side + 1)) for size in (height, width))
    place = ground[top : top + side, left : left + side]
    place[:] = place * (1 - cover) + colors.clip(0, 255) * cover
    ground += random.normal(0, random.uniform(0, 4), ground.shape)
    try:
        return prepare_photo(Image.fromarray(ground.clip(0, 255).astype(np.uint8)))
    except NoGarment:
        return np.zeros((IMAGE_SIZE, IMAGE_SIZE), np.uint8)


def _ground(
    height: int, width: int, grounds: Sequence[str], random: np.random.Generator
) -> NDArray[np.float64]:
    """Float [H, W, 3]: gray, colored, graded, or a photo."""
    choice = random.random()
    if choice < 0.35:
        return np.full((height, width, 3), float(random.integers(0, 256)))
    if choice < 0.6:
        return np.ones((height, width, 3)) * random.integers(0, 256, 3)
    if choice < 0.75:
        top, bottom = random.uniform(60, 255, 2).tolist()
        return np.linspace(top, bottom, height)[:, None, None] * np.ones((1, width, 3))
    photo = open_photo(Path(random.choice(list(grounds)))).resize((width, height))
    return np.array(photo, np.float64)
