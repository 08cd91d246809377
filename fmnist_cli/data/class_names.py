"""What people call the classes of Fashion-MNIST."""

import re
from typing import Final

from fmnist_cli.constants import CLASS_NAMES

FOOTWEAR: Final = frozenset({5, 7, 9})
"""Labels of Sandal, Sneaker and Ankle boot."""
ANY_FOOTWEAR: Final = -1
"""Label of an image that shows footwear of an unknown kind; for evaluation only."""

_SYNONYMS: Final = (
    "t-shirt, tee, top, tank top, undershirt, polo shirt, T恤, T恤衫, 短袖, 上衣",
    "trouser, pant, jean, chino, slacks, legging, 裤, 裤子, 长裤, 牛仔裤",
    "pullover, sweater, jumper, sweatshirt, hoodie, longsleeve, 套头衫, 套衫, 毛衣, 卫衣",
    "dress, gown, 连衣裙, 裙子",
    "coat, jacket, outwear, outerwear, parka, blazer, 外套, 大衣, 夹克",
    "sandal, flip-flop, slipper, 凉鞋, 拖鞋",
    "shirt, blouse, 衬衫, 衬衣",
    "sneaker, trainer, running shoe, sports shoe, 运动鞋",
    "bag, handbag, purse, backpack, 包, 包包, 手提包, 背包",
    "ankle boot, boot, bootie, bootee, 靴子, 短靴, 踝靴",
)
"""By label, in the singular."""
_ANY_FOOTWEAR: Final = "shoe, footwear, 鞋, 鞋子"
_NUMBER: Final = re.compile(r"(?:class|label)?[\W_]*0*(\d)")
_NUMBER_BEFORE: Final = re.compile(r"\d+[\W_]+(?=\w)")


def label_of(name: str) -> int | None:
    """Label of a class by its name or number; None if it is not a class of Fashion-MNIST.

    Only letters and digits count, in any case and in singular or plural: "Ankle boots" is 9, as
    are "ankle_boot", "9", "09", "class_9" and "9_boots". "shoes" is ANY_FOOTWEAR.
    """
    name = name.strip()
    number = _NUMBER.fullmatch(name.lower())
    if number is not None:
        return int(number[1])
    letters = _letters(_NUMBER_BEFORE.sub("", name, count=1))
    for ending in ("", "s", "es"):
        if letters.endswith(ending) and (stem := letters.removesuffix(ending)) in _LABELS:
            return _LABELS[stem]
    return None


def _letters(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum())


_LABELS: Final = {
    **{
        _letters(name): label
        for label, names in enumerate(_SYNONYMS)
        for name in (CLASS_NAMES[label], *names.split(", "))
    },
    **{_letters(name): ANY_FOOTWEAR for name in _ANY_FOOTWEAR.split(", ")},
}
