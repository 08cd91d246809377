"""Shoes in profile, the toe on the left: sandal, sneaker and ankle boot.

Edges are curves over the columns, so that a smaller value is higher up.
"""

import numpy as np

from fmnist_cli.data.synthetic.canvas import SAMPLES, Canvas, Dice, Floats, curve, trim, upright
from fmnist_cli.data.synthetic.fabric import cloth


def draw_sandal(dice: Dice) -> Floats:
    """A bare sole, flat, wedged or on a heel, with straps over the toes and round the ankle."""
    heel = dice.pick(0.3, 0.3, 1.5, 5, 9, 12) * dice.uniform(0.8, 1.2)
    high = heel > 3
    wedge = (dice.chance(0.4) * high).astype(bool)
    strap_height = np.where(high, dice.uniform(7, 12), dice.uniform(4, 9))
    platform = np.where(high, dice.uniform(0.8, 3.5), dice.uniform(1, 2.5))
    ground = 14 + (heel + platform + strap_height) / 2
    left, right = dice.uniform(0, 1.5), dice.uniform(26.5, 28)

    canvas = Canvas(dice.count)
    light = np.maximum(dice.uniform(0.2, 1), dice.uniform(0.2, 1))
    bed = curve(
        (0, ground - platform),
        (9, ground - platform - 0.05 * heel),
        (20, ground - platform - 0.85 * heel),
        (27, ground - platform - heel),
    )
    heel_front = 27 - dice.pick(1.3, 2, 5)
    sole_end = np.minimum(bed + platform[:, None], ground[:, None])
    on_heel = curve((heel_front, 0), (heel_front + 0.6, 1))
    on_heel = np.where(wedge[:, None], 1, on_heel)
    sole_end += on_heel * (ground[:, None] - sole_end)
    sole_light = light * dice.uniform(0.5, 1.1)
    canvas.paint(upright(bed, trim(sole_end, left, right)), sole_light)

    rise = strap_height[:, None]
    thickness = dice.uniform(1.2, 2.6)[:, None]
    for probability, start, crown, end, share in (
        (0.9, (1.0, 4.0), (6.0, 8.0), (10.0, 13.0), (0.4, 0.8)),
        (0.7, (5.0, 9.0), (11.0, 14.0), (16.0, 21.0), (0.5, 1.0)),
        (0.6, (16.0, 20.0), (23.0, 25.0), (26.5, 27.5), (0.7, 1.0)),
    ):
        at, last = dice.uniform(*start), dice.uniform(*end)
        bow = np.sqrt(np.abs(curve((at, 0), (dice.uniform(*crown), 1), (last, 0))))
        strap = bed - bow * rise * dice.uniform(*share)[:, None]
        canvas.paint(
            upright(strap, trim(strap + thickness * (1 + 0.6 * bow), at, last)),
            light * dice.uniform(0.7, 1.1),
            dice.chance(probability),
        )
    return canvas.light


def draw_sneaker(dice: Dice) -> Floats:
    """Low and long: a sole all along, laces on the instep, often stripes on the side."""
    height = dice.uniform(8, 14)
    ground = 14 + height / 2
    sole = dice.uniform(1.2, 2.6)
    deck = ground - sole
    top = ground - height
    left, right = dice.uniform(0, 1), dice.uniform(27, 28)
    toe = deck - np.minimum(0.25 * height, dice.uniform(2, 3))
    tongue = dice.uniform(14.5, 18.5)
    upper = curve(
        (left, deck - 0.6),
        (left + 2, toe),
        (8, toe - 0.12 * height),
        (tongue, top + dice.uniform(0, 0.6)),
        (tongue + 1.5, top + 0.4),
        (tongue + 4.5, top + dice.uniform(0.8, 3)),
        (25, top + dice.uniform(0, 2)),
        (right, top + 1.5),
    )
    canvas = Canvas(dice.count)
    side = trim((deck + 0.5)[:, None], left, right)
    canvas.paint(upright(upper, side), cloth(dice, prints=0.15))
    canvas.shade(upright(upper, trim(upper + 1.2, 19, 26)), dice.uniform(0.4, 1.2))

    slant = dice.uniform(0.2, 0.9)[:, None] * (SAMPLES - 14)
    for column in (11.0, 14.0, 17.0):
        at = column + dice.uniform(-0.5, 0.5)
        middle = (deck - 0.45 * height + dice.uniform(0, 2))[:, None] + slant * dice.pick(-1, 1)[
            :, None
        ]
        stripe = trim(middle + 1, at - 2, at + 2)
        canvas.shade(upright(middle - 0.4, stripe), 1 - dice.chance(0.6) * dice.uniform(-0.3, 0.7))
    laces = upright(upper, trim(upper + dice.uniform(1, 2.5)[:, None], 9, tongue))
    canvas.shade(laces, dice.uniform(0.5, 1.3))

    sole_edge = curve((left, deck), (right, deck))
    floor = curve((left, deck + 0.4), (left + 1.5, ground), (26, ground), (right, ground - 0.8))
    canvas.paint(upright(sole_edge, trim(floor, left, right)), dice.uniform(0.1, 1))
    return canvas.light


def draw_ankle_boot(dice: Dice) -> Floats:
    """A shaft above the ankle; a flat sole, a block or a thin heel."""
    heel = dice.pick(0.8, 1.5, 2, 5, 8) * dice.uniform(0.8, 1.2)
    high = heel > 3
    height = np.where(high, dice.uniform(23, 28), dice.uniform(16, 27))
    ground = 14 + height / 2
    top = ground - height
    left = np.where(high, dice.uniform(0, 4), dice.uniform(0, 1.5))
    right = dice.uniform(25.5, 28)
    sole = dice.uniform(0.6, 2)
    shaft = dice.uniform(11, 14)
    ankle_row = top + (ground - top) * dice.uniform(0.4, 0.55)
    toe = ground - sole - dice.uniform(2.5, 4)
    upper = curve(
        (left, ground - sole - 1),
        (left + 1.5, toe),
        (6, toe - 1),
        (shaft - 1, ankle_row),
        (shaft + 1, top + dice.uniform(0.2, 0.8)),
        (right, top + dice.uniform(-0.5, 2.5)),
    )
    heel_front = right - dice.pick(2, 5, 7) * np.where(high, 0.9, 1.2)
    ball = np.where(high, 9, heel_front - 1)
    arched = curve((left, ground - 0.5), (left + 1, ground), (ball, ground), (19, ground - heel))
    floor = np.where(curve((heel_front, 0), (heel_front + 0.3, 1)) > 0.5, ground[:, None], arched)
    canvas = Canvas(dice.count)
    back = right - dice.uniform(0, 1)
    canvas.paint(upright(upper, trim(floor, left, back)), cloth(dice, prints=0.15))
    canvas.shade(upright(floor - sole[:, None], trim(floor, left, right)), dice.uniform(0.4, 1.1))
    cuff = trim(upper + dice.uniform(1, 4)[:, None], shaft, right)
    canvas.shade(upright(upper, cuff), dice.uniform(0.6, 1.2))
    gusset = dice.uniform(16, 20)
    panel = trim(ankle_row[:, None], gusset, gusset + dice.uniform(2, 4))
    canvas.shade(upright(upper, panel), 1 - dice.chance(0.35) * dice.uniform(0, 0.7))
    laces = trim(upper + dice.uniform(1.5, 3)[:, None], 7, shaft + 2)
    lacing = upright(upper, laces) * (dice.noise() > 0)
    canvas.shade(lacing, 1 - dice.chance(0.4) * dice.uniform(-0.2, 0.6))
    return canvas.light
