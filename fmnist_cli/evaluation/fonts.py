"""A font for class names, which may be in any script."""

import logging
from collections.abc import Set as AbstractSet
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from matplotlib.font_manager import FontEntry

_LOG: Final = logging.getLogger(__name__)
_PREFERRED: Final = (
    *("DejaVu Sans", "Noto Sans CJK SC", "Source Han Sans SC", "Microsoft YaHei", "PingFang SC"),
    *("WenQuanYi Micro Hei", "SimHei", "Arial Unicode MS", "Noto Sans CJK JP"),
)
"""DejaVu Sans comes with matplotlib; the others have Chinese characters."""


def find_font(text: str) -> "FontEntry":
    """The installed font, as matplotlib lists it, that has all characters of a text.

    If none has, it is DejaVu Sans, and a warning names the missing characters.
    """
    from matplotlib import font_manager

    characters = dict.fromkeys(map(ord, text)).keys() - {ord(" ")}
    installed = font_manager.fontManager.ttflist
    found = _with_characters(characters, installed)
    if found is None:  # perhaps installed since matplotlib made its list
        listed = {font.fname for font in installed}
        for path in sorted(set(font_manager.findSystemFonts()) - listed):
            with suppress(OSError, RuntimeError):
                font_manager.fontManager.addfont(path)
        found = _with_characters(characters, installed)
    if found is not None:
        return found
    usual = next(font for font in sorted(installed, key=_rank) if font.name == _PREFERRED[0])
    missing = [sign for sign in dict.fromkeys(text) if ord(sign) in characters - _characters(usual)]
    _LOG.warning(
        "no installed font has these characters, which are drawn as boxes: %s; install one that "
        "has them, such as Noto Sans CJK",
        "".join(missing[:8]),
    )
    return usual


def _with_characters(characters: AbstractSet[int], fonts: "list[FontEntry]") -> "FontEntry | None":
    return next(
        (font for font in sorted(fonts, key=_rank) if characters <= _characters(font)), None
    )


def _characters(font: "FontEntry") -> AbstractSet[int]:
    from matplotlib import font_manager

    if font.name.startswith("Last Resort"):  # comes with matplotlib, and draws boxes only
        return frozenset()
    return font_manager.get_font(font.fname).get_charmap().keys()


def _rank(font: "FontEntry") -> tuple[int, bool, bool, bool]:
    """Preferred fonts first, and of each the regular form."""
    place = _PREFERRED.index(font.name) if font.name in _PREFERRED else len(_PREFERRED)
    is_odd = (font.style != "normal", font.weight not in (400, "normal"), font.stretch != "normal")
    return place, *is_odd
