"""Garments for the upper body: T-shirt, pullover, dress, coat and shirt, seen from the front."""

from dataclasses import dataclass

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
from fmnist_cli.data.synthetic.fabric import cloth, emblem

_SLEEVELESS, _SHORT, _LONG = 0.0, 1.0, 2.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Cut:
    """The pattern of a garment. Rows count from the top, widths from the middle; float32 [B]."""

    top: Floats
    bottom: Floats
    neck: Floats
    """Half-width of the neck opening."""
    shoulder: Floats
    stand: Floats
    """Rows that a collar or hood stands above the shoulders."""
    slope: Floats
    """Rows by which the shoulder drops from the neck to the sleeve."""
    armhole: Floats
    """Row where sleeve and body part."""
    chest: Floats
    waist: Floats
    hem: Floats
    sleeve: Floats
    """One of _SLEEVELESS, _SHORT, _LONG."""
    reach: Floats
    """Distance of the end of the sleeve from the middle."""
    sleeve_end: Floats
    """Row of the outer end of the sleeve."""
    cuff: Floats
    """Width of the end of a long sleeve."""

    @property
    def neck_row(self) -> Floats:
        """Row where the shoulders begin."""
        return self.top + self.stand

    @property
    def shoulder_row(self) -> Floats:
        """Row where the shoulders end and the sleeves begin."""
        return self.neck_row + self.slope


def _sleeves(cut: Cut, axis: Floats) -> Floats:
    """Cover of both sleeves: a long one hangs beside the body, a short one stands off."""
    long = cut.sleeve == _LONG
    inner_end = np.where(long, cut.sleeve_end + 0.4, cut.armhole + 1)
    inner_reach = np.where(long, cut.reach - cut.cuff, cut.chest)
    elbow = cut.shoulder + (cut.reach - cut.shoulder) * np.where(long, 0.8, 0.5)
    drop = cut.sleeve_end - cut.shoulder_row
    elbow_row = cut.shoulder_row + drop * np.where(long, 0.2, 0.4)
    outer = curve(
        (cut.neck_row, cut.neck),
        (cut.shoulder_row, cut.shoulder),
        (elbow_row, elbow),
        (cut.sleeve_end, cut.reach),
        (inner_end, inner_reach),
    )
    inner = curve((cut.armhole, cut.chest - 1), (inner_end, inner_reach))
    last_row = np.where(cut.sleeve == _SLEEVELESS, -1, inner_end)
    return span(inner, trim(outer, cut.neck_row, last_row), axis)


def _sew(dice: Dice, cut: Cut, fabric: Floats) -> tuple[Canvas, Floats]:
    """Paint sleeves and body. Returns the canvas and the distance from the garment's middle."""
    canvas = Canvas(dice.count)
    axis = mirrored(14 + dice.uniform(-0.4, 0.4))
    canvas.paint(_sleeves(cut, axis), fabric * dice.uniform(0.8, 1.3)[:, None, None])
    body = curve(
        (cut.top, 0.85 * cut.neck),
        (cut.neck_row, cut.neck),
        (cut.shoulder_row, cut.shoulder),
        (cut.armhole, cut.chest),
        (cut.armhole * 0.5 + cut.bottom * 0.5, cut.waist),
        (cut.bottom, cut.hem),
    )
    canvas.paint(span(-1, trim(body, cut.top, cut.bottom), axis), fabric)
    seam_end = np.where(cut.sleeve == _SLEEVELESS, -1, cut.bottom)
    seam = trim(body, cut.shoulder_row, seam_end)
    canvas.shade(span(body - 0.7, seam, axis), dice.uniform(0.4, 1))
    return canvas, axis


def _neckline(
    canvas: Canvas, cut: Cut, axis: Floats, depth: Floats, roundness: Floats, back: Floats
) -> None:
    """Cut out the neck. back: the light left where the back of the garment shows inside it."""
    opening = arch(cut.top, cut.top + depth, cut.neck, roundness)
    canvas.shade(span(-1, opening + 0.8, axis), 0.75)
    canvas.shade(span(-1, opening, axis), back)


def _hem_band(canvas: Canvas, dice: Dice, cut: Cut, axis: Floats) -> None:
    """A ribbed band, darker or brighter, along the lower edge."""
    rows = dice.uniform(1, 2.2)
    band = trim(14.0, cut.bottom - rows, cut.bottom)
    canvas.shade(span(-1, band, axis), dice.uniform(0.7, 1.2))


def draw_t_shirt(dice: Dice) -> Floats:
    """Short sleeves or none, a round or pointed neck, often a print on the chest."""
    sleeve = dice.pick(_SHORT, _SHORT, _SHORT, _SHORT, _SHORT, _SLEEVELESS)
    tank = sleeve == _SLEEVELESS
    chest = np.where(tank, dice.uniform(5, 7), dice.uniform(7, 8.5))
    armhole = dice.uniform(9, 11.5)
    cut = Cut(
        top=dice.uniform(0, 0.8),
        bottom=dice.uniform(27, 28),
        neck=np.where(tank, dice.uniform(2.5, 3.5), dice.uniform(3, 4.5)),
        shoulder=np.where(tank, dice.uniform(4, 5.5), dice.uniform(7, 8.5)),
        stand=np.zeros(dice.count),
        slope=np.where(tank, 0.8, dice.uniform(1.3, 2.8)),
        armhole=armhole,
        chest=chest,
        waist=chest - dice.uniform(-0.2, 1),
        hem=chest + dice.uniform(-0.5, 0.9),
        sleeve=sleeve,
        reach=dice.uniform(10.5, 13.9),
        sleeve_end=armhole - dice.uniform(1, 4),
        cuff=dice.uniform(3, 4),
    )
    fabric = cloth(dice, stripes=0.15, prints=0.15)
    canvas, axis = _sew(dice, cut, fabric)
    depth = np.where(tank, dice.uniform(4, 8), dice.uniform(1.5, 4))
    _neckline(canvas, cut, axis, depth, dice.pick(1.1, 2, 2.5), dice.pick(0, 0, 0.6))
    emblem(canvas, dice, 0.4, axis)
    return canvas.light


def draw_pullover(dice: Dice) -> Floats:
    """Long sleeves, a small closed neck, a band along the hem, nothing that opens."""
    chest = dice.uniform(6, 8)
    cut = Cut(
        top=dice.uniform(0, 0.8),
        bottom=dice.uniform(22.5, 28),
        stand=dice.pick(0, 0, 2, 4) * dice.uniform(0.5, 1),
        neck=dice.uniform(2.5, 4.2),
        shoulder=chest + dice.uniform(-0.6, 0.6),
        slope=dice.uniform(1.5, 3),
        armhole=dice.uniform(8, 11),
        chest=chest,
        waist=chest + dice.uniform(-0.8, 0.3),
        hem=chest + dice.uniform(-0.8, 0.4),
        sleeve=np.full(dice.count, _LONG),
        reach=chest + dice.uniform(3, 5.5),
        sleeve_end=dice.uniform(25, 27.6),
        cuff=dice.uniform(2.6, 3.8),
    )
    canvas, axis = _sew(dice, cut, cloth(dice, stripes=0.2, prints=0.1))
    _hem_band(canvas, dice, cut, axis)
    _neckline(
        canvas, cut, axis, dice.uniform(0.8, 2.8), dice.pick(1.1, 2, 2.5), dice.pick(0, 0.4, 0.9, 1)
    )
    emblem(canvas, dice, 0.3, axis)
    return canvas.light


def draw_dress(dice: Dice) -> Floats:
    """Long and narrow; straps, short or long sleeves; straight, fitted or flared."""
    sleeve = dice.pick(_SLEEVELESS, _SLEEVELESS, _SHORT, _LONG)
    chest = dice.uniform(3.2, 5.2)
    armhole = dice.uniform(5.5, 8)
    shoulder = np.where(sleeve == _SLEEVELESS, chest - dice.uniform(0, 1), chest + 0.3)
    waist = chest - dice.uniform(-0.2, 1)
    long_end = dice.uniform(11, 20)
    cut = Cut(
        top=dice.uniform(0, 0.5),
        bottom=dice.uniform(27.3, 28),
        neck=dice.uniform(1.5, 2.6),
        shoulder=shoulder,
        stand=np.zeros(dice.count),
        slope=dice.uniform(0.6, 1.6),
        armhole=armhole,
        chest=chest,
        waist=waist,
        hem=waist + dice.pick(0.2, 0.8, 2, 4) * dice.uniform(0.5, 1.4),
        sleeve=sleeve,
        reach=chest + dice.uniform(1.8, 4),
        sleeve_end=np.where(sleeve == _LONG, long_end, armhole - dice.uniform(0.5, 2)),
        cuff=dice.uniform(1.8, 2.5),
    )
    canvas, axis = _sew(dice, cut, cloth(dice, stripes=0.12, prints=0.25, folds=0.3))
    _neckline(canvas, cut, axis, dice.uniform(1.5, 6), dice.pick(1.1, 2, 3), dice.pick(0, 0, 0.6))
    belt_row = dice.uniform(10, 13)
    belt = trim(14.0, belt_row, belt_row + 1)
    canvas.shade(span(-1, belt, axis), 1 - dice.chance(0.35) * dice.uniform(-0.2, 0.7))
    return canvas.light


def _buttoned_cut(dice: Dice, sleeve: Floats, chest: Floats, *, gap: Floats, stand: Floats) -> Cut:
    """A cut with the proportions that coats and shirts share.

    gap: pixels between the body and the cuff of a long sleeve.
    """
    armhole = dice.uniform(8.5, 11)
    cuff = dice.uniform(2.3, 3.5)
    long = sleeve == _LONG
    return Cut(
        top=dice.uniform(0, 0.6),
        bottom=dice.uniform(24, 28),
        stand=stand,
        neck=dice.uniform(2.5, 3.8),
        shoulder=chest + dice.uniform(-0.6, 0.6),
        slope=dice.uniform(1.5, 3.2),
        armhole=armhole + 0.5 * stand,
        chest=chest,
        waist=chest - dice.uniform(0, 0.8),
        hem=chest + dice.uniform(-0.3, 1),
        sleeve=sleeve,
        reach=np.where(long, np.minimum(chest + gap + cuff, 13.8), dice.uniform(10.5, 13)),
        sleeve_end=np.where(long, dice.uniform(24.5, 27.7), armhole - dice.uniform(0.5, 3)),
        cuff=cuff,
    )


def draw_coat(dice: Dice) -> Floats:
    """Long sleeves and an open or zipped front, with lapels, a hood or a collar, and pockets."""
    chest = dice.uniform(6.2, 8.4)
    cut = _buttoned_cut(
        dice,
        np.full(dice.count, _LONG),
        chest,
        gap=dice.uniform(0, 1.2),
        stand=dice.uniform(0.5, 4),
    )
    canvas, axis = _sew(dice, cut, cloth(dice, checks=0.04, prints=0.15, folds=0.15))
    lapel_end = cut.top + dice.pick(2, 4, 8, 12) * dice.uniform(0.7, 1.3)
    lapel = curve((cut.top, 0.85 * cut.neck), (lapel_end, 0.3), (28, 0.3))
    canvas.shade(span(lapel, lapel + dice.uniform(0.8, 2)[:, None], axis), dice.uniform(0.6, 1.3))
    canvas.shade(span(-1, trim(lapel, 0, lapel_end), axis), dice.pick(0, 0.5, 0.8, 1.1))
    canvas.shade(
        span(-1, trim(dice.uniform(0.3, 0.8)[:, None], cut.top, cut.bottom), axis),
        1 - dice.pick(0.15, 0.4, 0.4, 0.9) * dice.uniform(0.5, 1),
    )
    pocket_row = dice.uniform(15, 19)
    pocket = trim(dice.uniform(5, 7)[:, None], pocket_row, pocket_row + 1)
    canvas.shade(span(2.5, pocket, axis), dice.uniform(0.55, 1.15))
    return canvas.light


def draw_shirt(dice: Dice) -> Floats:
    """A collar with two points and a row of buttons; checks, stripes or plain; any sleeve."""
    sleeve = dice.pick(_LONG, _LONG, _LONG, _SHORT, _SHORT, _SLEEVELESS)
    cut = _buttoned_cut(
        dice, sleeve, dice.uniform(6, 8), gap=dice.uniform(0.6, 2.4), stand=dice.uniform(0, 1.5)
    )
    canvas, axis = _sew(dice, cut, cloth(dice, stripes=0.1, checks=0.2, prints=0.2, folds=0.15))
    depth = dice.uniform(1.5, 5)
    collar = curve((cut.top, cut.neck), (cut.top + depth, 0))
    _neckline(canvas, cut, axis, depth, dice.pick(1, 1, 2), dice.pick(0, 0.3, 0.7))
    collar_edge = trim(collar + 1.5, cut.top, cut.top + depth)
    canvas.shade(span(collar, collar_edge, axis), dice.uniform(0.8, 1.25))
    placket = trim(dice.uniform(0.3, 0.6)[:, None], cut.top + depth, cut.bottom)
    canvas.shade(span(-1, placket, axis), 1 - dice.chance(0.75) * dice.uniform(0.1, 0.45))
    return canvas.light
