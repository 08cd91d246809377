"""Class names: synonyms of Fashion-MNIST's, and names that the user chooses."""

import os
import re
import shlex
from collections.abc import Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fmnist_cli.constants import CLASS_NAMES
from fmnist_cli.errors import MissingInput, in_one_line

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_CLASSES: Final = 1_000
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
_NUMBER: Final = re.compile(r"(?:class|label)?[\W_]*0*(\d{1,4})")
_NUMBER_BEFORE: Final = re.compile(r"\d+[\W_]+(?=\w)")
_MAX_FILE_BYTES: Final = 100_000
_NAMED: Final = 5
_UNBALANCED: Final = 4
"""Ratio of the largest to the smallest class from which a note is due."""


def label_of(name: str, classes: Sequence[str] = CLASS_NAMES) -> int | None:
    """Label of a class by its name or number; None if it is not one of `classes`.

    Only letters and digits count, in any case: "ankle_boot" is "Ankle boot". "9", "09" and
    "class_9" are the number 9. Fashion-MNIST's classes have synonyms, plurals and numbers in front
    as well: "9_boots" is an ankle boot, and "shoes" is ANY_FOOTWEAR.
    """
    name = name.strip()
    if name in classes:
        return classes.index(name)
    number = _NUMBER.fullmatch(name.lower())
    if number is not None:
        return int(number[1]) if int(number[1]) < len(classes) else None
    if tuple(classes) != CLASS_NAMES:
        letters = [_letters(each) for each in classes]
        return letters.index(_letters(name)) if letters.count(_letters(name)) == 1 else None
    found = _letters(_NUMBER_BEFORE.sub("", name, count=1))
    for ending in ("", "s", "es"):
        if found.endswith(ending) and (stem := found.removesuffix(ending)) in _LABELS:
            return _LABELS[stem]
    return None


def parse_classes(text: str) -> str:
    """Read `--classes NAME,…|FILE`; a file has a name per line. Returns the names with commas.

    Raises MissingInput for the path of no file, ValueError unless there are 2 to 1,000 different
    names.
    """
    typed = text.replace("\uff0c", ",")  # the comma of a Chinese keyboard
    if os.path.isfile(text):  # noqa: PTH113 - unlike pathlib's, it takes text of any length
        try:
            with Path(text).open(encoding="utf-8-sig") as file:
                lines = file.read(_MAX_FILE_BYTES).splitlines()
        except UnicodeDecodeError:
            raise ValueError(f"'{text}' is not UTF-8; save it as UTF-8 text") from None
        except (OSError, ValueError) as error:
            raise ValueError(f"'{text}' can't be read: {error}") from None
        names = [line.strip() for line in lines if line.strip()]
    elif "," not in typed and ("." in text or Path(text).name != text):  # it looks like a path
        raise MissingInput(
            f"no file at '{in_one_line(text)[:200]}'\n"
            "expected the names of classes, with commas, or a file with a name per line"
        )
    else:
        names = [name.strip() for name in typed.split(",")]
    if not 2 <= len(names) <= MAX_CLASSES:
        raise ValueError(
            f"'{in_one_line(text)[:80]}' names {len(names):,} "
            f"{'class' if len(names) == 1 else 'classes'}; expected 2 to {MAX_CLASSES:,} "
            "names with commas, or a file with a name per line"
        )
    for name in names:
        if not name or not name.isprintable() or "," in name:
            raise ValueError(f"'{in_one_line(name)[:80]}' can't be the name of a class")
        if names.count(name) > 1:
            raise ValueError(f"the class '{name[:80]}' is named twice")
    return ",".join(names)


def split_classes(names: str | None) -> tuple[str, ...] | None:
    """Split the names that `parse_classes` joined."""
    return None if names is None else tuple(names.split(","))


def expected_labels(classes: Sequence[str], wrong: str | None = None) -> str:
    """The expected labels, for the end of an error message; wrong: the label in their place."""
    advice = "other classes are named by --classes NAME,…"
    if wrong == str(len(classes)):
        advice = f"if yours count from 1, {_count_from_zero(classes)}"
    return f"expected class names or numbers from 0 to {len(classes) - 1}\n{advice}"


def _count_from_zero(classes: Sequence[str]) -> str:
    names = shlex.quote(f"none,{classes[0]}")
    return f"subtract 1, or give label 0 a name: --classes {names},…"


def wrong_label(labels: "NDArray[Any]", classes: Sequence[str]) -> str | None:
    """Describe the fault of numbers that can't be labels of `classes`; None if they can."""
    if not labels.size or 0 <= labels.min() <= labels.max() < len(classes):
        return None
    low, high, count = labels.min(), labels.max(), len(classes)
    if low == 1 and high == count and count > 2:
        advice = _count_from_zero(classes)
        return f"labels run from 1 to {count}, but labels count from 0\n{advice}"
    return f"labels run from {low:g} to {high:g}; {expected_labels(classes)}"


def imbalance(counts: Mapping[str, int]) -> str | None:
    """Describe unbalanced numbers of images per class; None if they are balanced."""
    present = sorted(((n, name) for name, n in counts.items() if n), key=itemgetter(0))
    if not present or present[-1][0] < _UNBALANCED * present[0][0]:
        return None
    (fewest, rare), (most, common) = present[0], present[-1]
    return (
        f"the classes are unbalanced: {most:,} images of {in_one_line(common)}, "
        f"{fewest:,} of {in_one_line(rare)}"
    )


def listed(names: Sequence[str]) -> str:
    """The first class names, for a message."""
    shown = ", ".join(in_one_line(name)[:40] for name in names[:_NAMED])
    return f"{shown}, … ({len(names):,})" if len(names) > _NAMED else shown


def difference(data: Sequence[str], model: Sequence[str], owner: str = "the model") -> str:
    """The message for data whose classes differ from a model's, or those of other data, `owner`."""
    foreign = [name for name in data if name not in model]
    if foreign:
        return f"{owner} has no class {listed(foreign)}; its classes: {listed(model)}"
    return f"the data has the classes {listed(data)}, {owner} {listed(model)}"


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
