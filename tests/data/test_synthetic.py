"""The drawn garments: fixed by split and index, balanced, drawn whole, and worth learning from."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fmnist_cli.constants import CLASS_NAMES, IMAGE_SIZE, NUM_CLASSES
from fmnist_cli.data.idx import read_images, read_labels
from fmnist_cli.data.images import Images, LabeledImages, Labels
from fmnist_cli.data.synthetic import draw
from fmnist_cli.data.synthetic.canvas import (
    SAMPLES,
    Canvas,
    Dice,
    arch,
    curve,
    mirrored,
    span,
    trim,
    upright,
)


@pytest.fixture(scope="module")
def train() -> LabeledImages:
    return draw(3000, "train")


@pytest.fixture(scope="module")
def test() -> LabeledImages:
    return draw(1000, "test")


def of_class(data: LabeledImages, name: str) -> Images:
    return data[data.labels == CLASS_NAMES.index(name)].images


def extents(images: Images) -> tuple[np.ndarray, np.ndarray]:
    """Height and width of what is drawn, in pixels, an image."""
    drawn = images > 0
    return drawn.any(axis=2).sum(axis=1), drawn.any(axis=1).sum(axis=1)


@pytest.mark.parametrize("n", [0, 1, 7, 999, 1000, 1001, 2010])
def test_fewer_images_are_the_start_of_more(train: LabeledImages, n: int) -> None:
    fewer = draw(n, "train")
    assert len(fewer) == n
    assert np.array_equal(fewer.images, train.images[:n])
    assert np.array_equal(fewer.labels, train.labels[:n])


def test_the_splits_share_no_image(train: LabeledImages, test: LabeledImages) -> None:
    seen = {image.tobytes() for image in train.images}
    assert len(seen) == len(train), "an image is drawn twice"
    assert seen.isdisjoint(image.tobytes() for image in test.images)


def test_every_ten_labels_hold_each_class_once_in_changing_order(train: LabeledImages) -> None:
    tens = train.labels.reshape(-1, NUM_CLASSES)
    assert (np.sort(tens, axis=1) == np.arange(NUM_CLASSES)).all()
    assert len(np.unique(tens, axis=0)) > 0.9 * len(tens)


def test_no_number_is_lost_on_the_way(train: LabeledImages) -> None:
    with np.errstate(divide="raise", over="raise", invalid="raise"):
        again = draw(len(train), "train")
    assert again.fingerprint() == train.fingerprint()


@pytest.mark.parametrize("name", CLASS_NAMES)
def test_a_garment_fills_the_picture_and_leaves_a_background(
    train: LabeledImages, name: str
) -> None:
    images = of_class(train, name)
    longest_side = np.maximum(*extents(images))
    assert longest_side.min() >= IMAGE_SIZE - 5
    assert ((images == 0).mean(axis=(1, 2)) > 0.05).all()
    assert (images.max(axis=(1, 2)) > 30).all()


@pytest.mark.parametrize("name", CLASS_NAMES)
def test_a_class_has_variety(train: LabeledImages, name: str) -> None:
    brightest = np.percentile(of_class(train, name), 95, axis=(1, 2))
    assert brightest.std() > 15
    silhouettes = of_class(train, name) > 0
    assert len(np.unique(silhouettes.reshape(len(silhouettes), -1), axis=0)) > 200


def test_garments_have_their_shapes(train: LabeledImages) -> None:
    boot_height, boot_width = extents(of_class(train, "Ankle boot"))
    sneaker_height, sneaker_width = extents(of_class(train, "Sneaker"))
    assert (sneaker_width > sneaker_height).all()
    assert (boot_width >= 20).all()
    assert boot_height.mean() > sneaker_height.mean() + 5
    dress_height, dress_width = extents(of_class(train, "Dress"))
    assert (dress_height >= 27).all()
    assert dress_width.mean() < extents(of_class(train, "Coat"))[1].mean() - 3


@pytest.mark.parametrize("name", ["Sneaker", "Ankle boot"])
def test_toes_point_left(train: LabeledImages, name: str) -> None:
    top = (of_class(train, name) > 0).argmax(axis=1)
    assert (top[:, 6] > top[:, 20]).all()


def test_trousers_have_two_legs(train: LabeledImages) -> None:
    low = of_class(train, "Trouser")[:, 23:27].astype(int).sum(axis=1)
    between_legs = low[:, 13:15].mean(axis=1)
    assert (between_legs < 0.6 * low.max(axis=1)).mean() > 0.8


def nearest_mean(train: LabeledImages, images: Images) -> Labels:
    """The simplest classifier: the class whose mean image is nearest."""
    means = np.stack([train.images[train.labels == c].mean(axis=0) for c in range(NUM_CLASSES)])
    distances = ((images[:, None].astype(np.float32) - means) ** 2).sum(axis=(2, 3))
    nearest: Labels = distances.argmin(axis=1)
    return nearest


def test_the_classes_can_be_learnt_but_not_at_a_glance(
    train: LabeledImages, test: LabeledImages
) -> None:
    accuracy = (nearest_mean(train, test.images) == test.labels).mean()
    assert 0.6 < accuracy < 0.95


def test_the_drawings_resemble_the_real_garments(train: LabeledImages, mirror: Path) -> None:
    images = read_images(mirror / "t10k-images-idx3-ubyte.gz")
    labels = read_labels(mirror / "t10k-labels-idx1-ubyte.gz")
    assert (nearest_mean(train, images[:2000]) == labels[:2000]).mean() > 0.5


edges = st.floats(-10, 40, width=32)


@given(low=edges, width=st.floats(0, 40, width=32))
@settings(max_examples=50)
def test_span_covers_exactly_what_lies_inside_the_picture(low: float, width: float) -> None:
    cover = span(low, np.full((1, 2 * IMAGE_SIZE), low + width, np.float32))
    inside = np.clip(low + width, 0, IMAGE_SIZE) - np.clip(low, 0, IMAGE_SIZE)
    assert cover.shape == (1, IMAGE_SIZE, IMAGE_SIZE)
    assert cover.sum(axis=2) == pytest.approx(inside, abs=1e-3)
    assert cover.min() >= -1e-6
    assert cover.max() <= 1 + 1e-6


def test_span_is_empty_where_the_upper_edge_is_below_the_lower() -> None:
    assert not span(10, curve((0, 5), (28, 9))).any()


def test_mirrored_spans_appear_on_both_sides() -> None:
    cover = span(2, curve((0, 3), (28, 6)), mirrored(14.0))
    assert np.array_equal(cover, cover[:, :, ::-1])
    assert cover[0, :, 14:].sum() == pytest.approx(28 * 2.5, rel=1e-3)


def test_upright_is_span_with_rows_and_columns_exchanged() -> None:
    high = curve((0, 20), (28, 10))
    assert np.array_equal(upright(5, high), span(5, high).swapaxes(1, 2))


def test_curve_runs_through_its_knots_and_stays_level_beyond() -> None:
    last = np.array([2, 5], np.float32)
    line = curve((4.25, 1), (10.25, 4), (20.25, last))
    at = {float(position): line[:, i].tolist() for i, position in enumerate(SAMPLES)}
    assert at[0.25] == at[4.25] == [1, 1]
    assert at[7.25] == pytest.approx([2.5, 2.5])
    assert at[10.25] == pytest.approx([4, 4])
    assert at[27.75] == at[20.25] == pytest.approx([2, 5])


def test_a_curve_may_jump() -> None:
    line = curve((5, 0), (5, 3))
    assert (line[:, SAMPLES < 5] == 0).all()
    assert line[:, SAMPLES > 5.01] == pytest.approx(3)


def test_arch_has_the_area_of_a_half_ellipse() -> None:
    cover = span(-1, arch(24, 4, 10), mirrored(14.0))
    assert cover.sum() == pytest.approx(np.pi / 2 * 20 * 10, rel=0.02)
    assert not cover[:, :4].any()
    assert not cover[:, 24:].any()


def test_trim_keeps_a_band_of_rows() -> None:
    rows = span(0, trim(28.0, 5, 9)).sum(axis=2)[0]
    assert rows.tolist() == [28.0 if 5 <= row < 9 else 0.0 for row in range(IMAGE_SIZE)]


def test_paint_covers_and_shade_multiplies() -> None:
    canvas = Canvas(2)
    half = span(0, np.full((2, 2 * IMAGE_SIZE), 14.0))
    canvas.paint(half, 0.8, np.array([1.0, 0.0]))
    canvas.shade(half, 0.5)
    assert canvas.light[0, :, :14] == pytest.approx(0.4)
    assert not canvas.light[0, :, 14:].any()
    assert not canvas.light[1].any()


def test_dice_stay_in_their_range() -> None:
    dice = Dice(np.random.default_rng(0), 2000)
    uniform, picked = dice.uniform(2, 3), dice.pick(1, 5)
    assert 2 <= uniform.min() < 2.01
    assert 2.99 < uniform.max() < 3
    assert (picked == 5).mean() == pytest.approx(0.5, abs=0.05)
    assert dice.chance(0.2).mean() == pytest.approx(0.2, abs=0.05)
    assert -1 <= dice.noise().min() < dice.noise().max() <= 1
