"""Trousers, seen from the front."""

import numpy as np

from fmnist_cli.data.synthetic.canvas import Canvas, Dice, Floats, curve, mirrored, span, trim
from fmnist_cli.data.synthetic.fabric import cloth


def draw_trousers(dice: Dice) -> Floats:
    """Two legs under a waistband: skinny to wide, flared, some cut off above the knee."""
    short = dice.chance(0.06)
    width = np.where(short, dice.uniform(1.9, 2.4), dice.uniform(0.9, 1.25))
    waist = dice.uniform(3.4, 4.6) * width
    hip = dice.uniform(4.6, 5.6) * width
    crotch = np.where(short, dice.uniform(13, 17), dice.uniform(8, 11.5))
    ankle = hip + dice.pick(-1, -0.5, 0, 1) * dice.uniform(0.2, 1)
    leg = np.where(
        short, hip - dice.uniform(0.5, 2), dice.pick(2.6, 3.4, 4.2) * dice.uniform(0.9, 1.2)
    )
    top, bottom = dice.uniform(0, 0.4), dice.uniform(27.5, 28)

    canvas = Canvas(dice.count)
    fabric = cloth(dice, prints=0.1, folds=0.3)
    axis = mirrored(14 + dice.uniform(-0.4, 0.4))
    outer = curve((top, waist), (crotch * 0.6, hip), (20, (hip + ankle) / 2), (bottom, ankle))
    gap = np.maximum(ankle - leg, 0.2)
    inner = curve((crotch, -1), (crotch + 0.5, 0.1), (crotch + 6, 0.6 * gap), (bottom, gap))
    canvas.paint(span(inner, trim(outer, top, bottom), axis), fabric)
    crease = 0.5 * (inner + outer)
    canvas.shade(span(crease - 0.8, crease + 0.8, axis), dice.uniform(0.8, 1.3))
    fly = trim(0.6, top, crotch)
    canvas.shade(span(-1, fly, axis), dice.uniform(0.5, 1))
    waistband = trim(outer, top, top + dice.uniform(1, 2.5))
    canvas.shade(span(-1, waistband, axis), dice.uniform(0.6, 1.2))
    return canvas.light
