"""Examples for the finder: garments pasted on other grounds, whose mask is exact, and photos."""

from collections.abc import Iterator
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from torch.utils.data import IterableDataset

from fmnist_cli.photos.finder import INPUT_SIDE, MASK_SIDE

SIDE: Final = 128
"""Photos are squeezed to a square of this side before anything else."""
MIN_QUALITY: Final = 0.7
"""Of a mask whose garment is cut out for composites."""
COMPOSITES: Final = 0.68
"""Share of composites among the examples."""
PHOTO_WEIGHT: Final = 0.6
"""Weight of a photo's loss: its mask may be wrong."""

Colors = NDArray[np.float32]
cv2.setNumThreads(1)


def clean_background(pixels: NDArray[np.uint8], mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The photo without its garment, inpainted at half its size."""
    half = (SIDE // 2, SIDE // 2)
    small = cv2.resize(pixels, half, interpolation=cv2.INTER_AREA)
    hole = cv2.resize(mask, half, interpolation=cv2.INTER_NEAREST)
    filled = cv2.inpaint(small, cv2.dilate(hole, np.ones((5, 5), np.uint8)), 2, cv2.INPAINT_TELEA)
    filled = cv2.resize(filled, (SIDE, SIDE))
    wide = cv2.dilate(mask, np.ones((7, 7), np.uint8)).astype(np.float32)
    cover = cv2.GaussianBlur(wide, (0, 0), 2)[..., None]
    return np.clip(pixels * (1 - cover) + filled * cover, 0, 255).astype(np.uint8)


class Examples(IterableDataset[tuple[Any, Any, Any]]):
    """Endless training examples: image uint8 [96, 96, 3], mask float32 [48, 48], float32 weight.

    pixels: uint8 [N, 128, 128, 3]. masks: 0 or 1, uint8 [N, 128, 128]. quality: float32 [N];
    negative ones are not used, those above MIN_QUALITY are cut out and give backgrounds.
    """

    def __init__(self, pixels: Any, masks: Any, quality: Any, seed: int) -> None:
        self.pixels, self.masks = pixels, masks
        self.good = np.flatnonzero(quality > MIN_QUALITY)
        self.photos = np.flatnonzero(quality > 0.5)
        self.grounds = {i: clean_background(pixels[i], masks[i]) for i in self.good}
        self.random = np.random.default_rng(seed)

    def __iter__(self) -> Iterator[tuple[Any, Any, Any]]:
        """Composites and photos."""
        while True:
            is_composite = self._chance(COMPOSITES)
            image, mask = self.composite() if is_composite else self.photo()
            small = cv2.resize(mask, (MASK_SIDE, MASK_SIDE), interpolation=cv2.INTER_AREA)
            yield self._finish(image), small, np.float32(1.0 if is_composite else PHOTO_WEIGHT)

    def photo(self) -> tuple[Any, Any]:
        """A photo, slightly moved and perhaps with other colors, and its mask."""
        random, i = self.random, self.random.choice(self.photos)
        image, mask = self.pixels[i].astype(np.float32), self.masks[i].astype(np.float32)
        if self._chance(0.5):
            image, mask = image[:, ::-1], mask[:, ::-1]
        center = (SIDE / 2, SIDE / 2)
        moved = cv2.getRotationMatrix2D(center, random.normal(0, 6), np.exp(random.normal(0, 0.12)))
        moved[:, 2] = moved[:, 2] + random.normal(0, 5, 2)
        image, mask = (
            cv2.warpAffine(
                np.ascontiguousarray(each), moved, (SIDE, SIDE), borderMode=cv2.BORDER_REFLECT_101
            )
            for each in (image, mask)
        )
        if self._chance(0.15):
            image = image[..., random.permutation(3)]
        return (255 - image if self._chance(0.1) else image), mask

    def composite(self) -> tuple[Any, Any]:
        """A garment, or a pair of them, on a ground; sometimes a ground alone."""
        random = self.random
        ground = self._photo_ground() if self._chance(0.45) else self._plain_ground()
        total = np.zeros((SIDE, SIDE), np.float32)
        if self._chance(0.03):
            return ground, total
        i = random.choice(self.good)
        mask = self.masks[i].astype(np.float32)
        garment = self._recolor(self.pixels[i].astype(np.float32), mask, ground.mean((0, 1)))
        shadow = (random.normal(0, 4), random.normal(2, 4)) if self._chance(0.5) else None
        blur, strength = random.uniform(1.5, 7), random.uniform(0.1, 0.55)
        for matrix in self._places(mask):
            cover = cv2.warpAffine(mask, matrix, (SIDE, SIDE)).clip(0, 1)
            pasted = cv2.warpAffine(garment, matrix, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)
            if shadow is not None:
                shift = np.array([[1, 0, shadow[0]], [0, 1, shadow[1]]], np.float32)
                dark = cv2.GaussianBlur(cv2.warpAffine(cover, shift, (SIDE, SIDE)), (0, 0), blur)
                ground = ground * (1 - strength * dark[..., None])
            ground = ground * (1 - cover[..., None]) + pasted * cover[..., None]
            total = np.maximum(total, cover)
        if self._chance(0.05):
            self._draw_frame(ground, total)
        return ground, total

    def _chance(self, probability: float) -> bool:
        return bool(self.random.random() < probability)

    def _photo_ground(self) -> Colors:
        random = self.random
        ground = self.grounds[random.choice(self.good)].astype(np.float32)
        if self._chance(0.5):
            ground = ground[:, ::-1]
        if self._chance(0.5):
            ground = ground[::-1]
        if self._chance(0.3):
            ground = ground[..., random.permutation(3)]
        side = int(random.integers(48, SIDE)) if self._chance(0.5) else SIDE
        top, left = random.integers(0, SIDE - side + 1, 2)
        part = np.ascontiguousarray(ground[top : top + side, left : left + side])
        return np.asarray(cv2.resize(part, (SIDE, SIDE)), np.float32)

    def _plain_ground(self) -> Colors:
        """White, black, gray or colored; perhaps graded, textured or striped."""
        random, kind = self.random, self.random.random()
        if kind < 0.6:
            low, high = (235, 255) if kind < 0.25 else (0, 25) if kind < 0.37 else (20, 240)
            color = np.full(3, random.uniform(low, high))
        else:
            color = random.uniform(0, 255, 3)
        ground = np.tile(color.astype(np.float32), (SIDE, SIDE, 1))
        if self._chance(0.4):
            slope = self._slope()
            tint = random.normal(0, 25, 3) if self._chance(0.5) else np.zeros(3)
            ground += slope[..., None] * (tint + random.normal(0, 25)).astype(np.float32)
        if self._chance(0.15):
            noise = random.normal(0, random.uniform(3, 25), random.integers(4, 40, 2))
            texture = cv2.resize(
                noise.astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC
            )
            ground += texture[..., None]
        if self._chance(0.06):
            phase = np.arange(SIDE) * 2 * np.pi / random.uniform(3, 20) + random.uniform(0, 6)
            stripes = np.sign(np.sin(phase)).astype(np.float32) * np.float32(random.uniform(5, 40))
            ground += stripes[None, :, None] if self._chance(0.5) else stripes[:, None, None]
        return ground

    def _slope(self) -> Colors:
        angle, line = self.random.uniform(0, 2 * np.pi), np.linspace(-1, 1, SIDE, dtype=np.float32)
        slope: Colors = (np.cos(angle) * line + np.sin(angle) * line[:, None]).astype(np.float32)
        return slope

    def _places(self, mask: Any) -> list[Any]:
        """Affine maps for one garment anywhere, or for a mirrored pair side by side."""
        random = self.random
        if not self._chance(0.08):
            turned, center, reach = self._shape(mask, random.uniform(0.3, 0.95))
            room = np.maximum(SIDE / 2 - reach, 0) + 4
            place = SIDE / 2 + random.uniform(-room, room)
            return [_map(turned, center, place)]
        turned, center, _ = self._shape(mask, random.uniform(0.2, 0.55))
        offset = np.array([random.uniform(0.15, 0.3) * SIDE, random.normal(0, 5)])
        offset = offset if self._chance(0.7) else offset[::-1]
        mirrored = np.diag([-1.0, 1.0]) @ turned
        middle = np.full(2, SIDE / 2)
        return [_map(turned, center, middle - offset), _map(mirrored, center, middle + offset)]

    def _shape(self, mask: Any, size: float) -> tuple[Any, Any, Any]:
        """Scale, squeeze, turn and flip: the linear map, the garment's center and its reach."""
        random = self.random
        columns, rows = (np.flatnonzero(mask.any(axis=axis)) for axis in (0, 1))
        low, high = np.array([columns[0], rows[0]]), np.array([columns[-1], rows[-1]]) + 1
        scale = size * SIDE / (high - low).max()
        squeeze = np.exp(random.normal(0, 0.18))
        angle = np.deg2rad(
            random.normal(0, 10) + (random.choice([90, -90, 180]) if self._chance(0.08) else 0)
        )
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        flip = -1 if self._chance(0.5) else 1
        turned = turn @ np.diag([scale * squeeze * flip, scale / squeeze])
        return turned, (low + high) / 2, np.abs(turned) @ ((high - low) / 2)

    def _recolor(self, garment: Any, mask: Any, ground: Any) -> Any:
        """Its own colors, others, or ones close to the ground's; sometimes two."""
        random, kind = self.random, self.random.random()
        if kind < 0.35:
            return garment
        if kind < 0.5:
            swapped = np.ascontiguousarray(garment[..., random.permutation(3)])
            return 255 - swapped if self._chance(0.4) else swapped
        if kind < 0.8:
            gray = np.full(3, random.uniform(5, 250))
            color = gray if self._chance(0.5) else random.uniform(0, 255, 3)
        else:
            direction = random.choice([-1, 1]) + 0.4 * random.normal(0, 1, 3)
            color = ground + direction * random.uniform(18, 60)
        texture = garment - garment[mask > 0.5].mean(0)
        if self._chance(0.6):
            texture = texture.mean(2, keepdims=True)
        colored = texture * random.uniform(0.5, 1.3) + color
        if self._chance(0.12):
            second = self._slope() > random.normal(0, 0.2)
            colored = np.where(
                second[..., None], colored - color + random.uniform(0, 255, 3), colored
            )
        return colored.astype(np.float32)

    def _draw_frame(self, image: Any, mask: Any) -> None:
        width = int(self.random.integers(1, 6))
        is_frame = np.ones((SIDE, SIDE), bool)
        is_frame[width:-width, width:-width] = False
        image[is_frame] = self.random.uniform(0, 255, 3 if self._chance(0.5) else 1)
        mask[is_frame] = 0

    def _finish(self, image: Any) -> Any:
        """Exposure, white balance, gamma, blur, noise and JPEG, each sometimes."""
        random = self.random
        if self._chance(0.5):
            image = image * random.uniform(0.75, 1.2) + random.uniform(-15, 15)
        if self._chance(0.3):
            image = image * random.uniform(0.85, 1.15, 3)
        image = np.clip(image, 0, 255)
        if self._chance(0.3):
            image = 255 * (image / 255) ** np.exp(random.normal(0, 0.25))
        image = image.astype(np.float32)
        if self._chance(0.25):
            image = cv2.GaussianBlur(image, (0, 0), random.uniform(0.4, 1.4))
        image = cv2.resize(image, (INPUT_SIDE, INPUT_SIDE), interpolation=cv2.INTER_AREA)
        if self._chance(0.35):
            image = image + random.normal(0, random.uniform(1, 9), image.shape)
        image = np.clip(image, 0, 255).astype(np.uint8)
        if self._chance(0.2):
            quality = int(random.integers(40, 95))
            encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
            image = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
        return image


def _map(turned: Any, center: Any, place: Any) -> Any:
    return np.concatenate([turned, (place - turned @ center)[:, None]], 1).astype(np.float32)
