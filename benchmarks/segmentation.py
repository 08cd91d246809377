"""Classical segmentation of a garment: the first teacher of the finder.

The background's color is a quadratic function of the place, fitted robustly to the frame of the
photo; what differs from it by more than Otsu's threshold starts GrabCut.
"""

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.composites import SIDE

_FRAME: Final = 8
"""Width of the frame that is taken for background."""
_ROWS, _COLUMNS = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32) / SIDE - 0.5
_TERMS: Final = np.stack(
    [np.ones_like(_ROWS), _COLUMNS, _ROWS, _COLUMNS * _ROWS, _COLUMNS**2, _ROWS**2], -1
)
_CENTRAL: Final = 1 - np.clip(2 * np.maximum(np.abs(_COLUMNS), np.abs(_ROWS)), 0, 1)
_IS_FRAME: Final = np.ones((SIDE, SIDE), bool)
_IS_FRAME[_FRAME:-_FRAME, _FRAME:-_FRAME] = False
_IS_EDGE: Final = np.ones((SIDE, SIDE), bool)
_IS_EDGE[2:-2, 2:-2] = False


def segment(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], np.float32]:
    """The mask of a photo, uint8 [128, 128, 3], as 0 and 1, and its quality, at most 1.

    Quality falls if GrabCut changes the first mask, if the mask touches the edge, and if it is very
    small or large.
    """
    first = _first_mask(pixels)
    mask = _grab_cut(pixels, first)
    union = np.maximum((first | mask).sum(), 1)
    quality = (first & mask).sum() / union - 1.5 * mask[_IS_EDGE].mean()
    if not 0.06 < mask.mean() < 0.75:
        quality -= 0.5
    return mask, np.float32(quality)


def _first_mask(pixels: NDArray[np.uint8]) -> Any:
    lab = cv2.cvtColor(cv2.GaussianBlur(pixels, (3, 3), 0), cv2.COLOR_RGB2LAB).astype(np.float32)
    terms, colors = _TERMS[_IS_FRAME], lab[_IS_FRAME]
    weights = np.ones(len(terms), np.float32)
    for _ in range(8):  # outliers lose their weight
        weighted = terms * weights[:, None]
        fitted = np.linalg.solve(weighted.T @ terms + 1e-3 * np.eye(6), weighted.T @ colors)
        errors = np.linalg.norm(colors - terms @ fitted, axis=1)
        spread = 1.48 * np.median(errors) + 1
        weights = 1 / (1 + (errors / (2 * spread)) ** 4)
    distance = np.linalg.norm(lab - _TERMS @ fitted.astype(np.float32), axis=2)
    scaled = np.clip(2 * distance, 0, 255).astype(np.uint8)
    threshold, _ = cv2.threshold(scaled, 0, 255, cv2.THRESH_OTSU)
    mask: Any = (scaled > max(0.8 * threshold, 5 * spread)).astype(np.uint8)
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    mask = _fill(_central_part(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))))
    return mask if mask.mean() >= 0.02 else (_CENTRAL > 0.35).astype(np.uint8)


def _grab_cut(pixels: NDArray[np.uint8], first: Any) -> Any:
    labels = np.where(first > 0, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    if first.mean() < 0.6:
        labels[cv2.erode(first, np.ones((9, 9), np.uint8)) > 0] = cv2.GC_FGD
    labels[cv2.dilate(first, np.ones((15, 15), np.uint8)) == 0] = cv2.GC_BGD
    labels[_IS_EDGE & (first == 0)] = cv2.GC_BGD
    cv2.setRNGSeed(0)
    background, foreground = np.zeros((1, 65)), np.zeros((1, 65))
    bgr = np.ascontiguousarray(pixels[..., ::-1])
    try:
        cv2.grabCut(bgr, labels, (0, 0, 1, 1), background, foreground, 3, cv2.GC_INIT_WITH_MASK)
    except cv2.error:  # one of the two models has no pixels
        return first
    mask = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    part = _central_part(cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)))
    return _fill(part) if part.any() else first


def _central_part(mask: Any) -> Any:
    """The connected part with the most pixels, central ones counted more."""
    _, labels, _, _ = cv2.connectedComponentsWithStats(mask)
    weights = np.bincount(labels.ravel(), weights=0.2 + _CENTRAL.ravel())
    weights[0] = 0
    return ((labels == weights.argmax()) & (labels > 0)).astype(np.uint8)


def _fill(mask: Any) -> Any:
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros((SIDE, SIDE), np.uint8)
    cv2.drawContours(filled, contours, -1, 1, -1)
    return filled
