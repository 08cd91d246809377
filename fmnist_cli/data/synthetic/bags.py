"""Bags, seen from the front."""

import numpy as np

from fmnist_cli.data.synthetic.canvas import (
    Canvas,
    Dice,
    Floats,
    arch,
    curve,
    mirrored,
    span,
    trim,
)
from fmnist_cli.data.synthetic.fabric import cloth


def draw_bag(dice: Dice) -> Floats:
    """A clutch without a handle, a handbag under a short one, a tote under a long one."""
    clutch = dice.chance(0.4)
    tote = dice.chance(0.4) * (1 - clutch)
    handle_height = np.where(clutch, 0, np.where(tote, dice.uniform(9, 14), dice.uniform(4, 10)))
    half_width = np.where(tote, dice.uniform(7, 11), dice.uniform(12, 13.9))
    height = np.where(clutch, dice.uniform(13, 23), 27.5 - handle_height)
    top = 14 - (height - handle_height) / 2
    bottom = top + height

    canvas = Canvas(dice.count)
    axis = mirrored(14 + dice.uniform(-0.4, 0.4))
    foot = half_width * dice.uniform(0.35, 0.8)
    thickness = dice.uniform(0.8, 1.8)
    roundness = dice.pick(1.2, 2, 2, 3)
    # The handle ends a little inside the bag, which is painted over it.
    outer = arch(top + 1, top - handle_height, foot, roundness)
    inner = arch(top + 1, top - handle_height + thickness, foot - thickness, roundness)
    canvas.paint(span(inner, outer, axis), dice.uniform(0.3, 1), 1 - clutch)

    strap = trim((half_width + dice.uniform(0, 1.2))[:, None], top, top + dice.uniform(4, 12))
    canvas.paint(span(half_width[:, None] - 1, strap, axis), dice.uniform(0.3, 1), clutch)

    fabric = cloth(dice, stripes=0.1, checks=0.12, prints=0.15)
    corner = dice.pick(0.3, 1.5, 4)
    upper = half_width * dice.pick(0.8, 0.95, 1)
    lower = half_width * dice.pick(0.85, 1, 1)
    body = curve(
        (top, upper - corner),
        (top + corner, upper),
        (bottom - corner, lower),
        (bottom, lower - dice.pick(0.2, 1, 3) * dice.uniform(0.5, 1.3)),
    )
    canvas.paint(span(-1, trim(body, top, bottom), axis), fabric)
    canvas.shade(span(body - 1, trim(body, top, bottom), axis), dice.uniform(0.7, 1.25))

    flap_end = top + height * dice.uniform(0.15, 0.7)
    flap = arch(top, flap_end, upper, dice.pick(1, 2, 6, 6)) + 0.6
    edge = span(arch(top, flap_end - 1, upper - 0.5, 3), flap, axis)
    canvas.shade(edge, 1 - dice.chance(0.6) * dice.uniform(-0.2, 0.5))
    clasp = trim(dice.uniform(0.6, 1.6)[:, None], flap_end - 1, flap_end + dice.uniform(0.3, 1.5))
    canvas.paint(span(-1, clasp, axis), dice.uniform(0, 1), dice.chance(0.5))
    return canvas.light
