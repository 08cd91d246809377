"""Names of classes as people write them."""

import pytest

from fmnist_cli.constants import CLASS_NAMES
from fmnist_cli.data.class_names import ANY_FOOTWEAR, label_of


@pytest.mark.parametrize(
    ("names", "label"),
    [
        *(((str(label), f"0{label}", f"class_{label}"), label) for label in range(10)),
        *(((name, name.replace("/", "_")), label) for label, name in enumerate(CLASS_NAMES)),
        (("tshirt", "T-Shirts", "tee", "0_tshirt", "T恤"), 0),
        (("pants", "jeans", "Trousers", "1 - trousers", "裤子"), 1),
        (("longsleeve", "sweaters", "套头衫"), 2),
        (("dresses", "连衣裙"), 3),
        (("outwear", "Jackets", "外套"), 4),
        (("sandals", "凉鞋"), 5),
        (("shirts", "衬衫"), 6),
        (("sneakers", "07", "运动鞋"), 7),
        (("handbags", "包"), 8),
        (("ankle-boot", "ANKLE_BOOTS", "boots", "短靴"), 9),
        (("shoes", "Footwear", "鞋子"), ANY_FOOTWEAR),
        (("10", "", "--", "cat", "sock", "s"), None),
    ],
)
def test_labels(names: tuple[str, ...], label: int | None) -> None:
    assert {name: label_of(name) for name in names} == dict.fromkeys(names, label)
